/* gather(): twin of receivers/sockets/slab.py's copy of payloads out of a slab. */
#include "columns.h"

/* Offsets of the parts one behind the other; -1 with an exception when they do not lie in the
 * source, or are too much for int32. */
static int64_t
fill_offsets(const struct column *source, const struct column *starts,
             const struct column *lengths, struct column *offsets)
{
    int64_t end = 0;
    I32(*offsets)[0] = 0;
    for (Py_ssize_t row = 0; row < starts->rows; row++) {
        int64_t start = I64(*starts)[row], length = I64(*lengths)[row];
        if (start < 0 || length < 0 || start > source->view.len ||
            length > source->view.len - start) {
            PyErr_SetString(PyExc_ValueError, "a part that is not in the source");
            return -1;
        }
        if (length > INT32_MAX - end) {
            PyErr_SetString(PyExc_OverflowError, "more than 2 GiB in one batch");
            return -1;
        }
        end += length;
        I32(*offsets)[row + 1] = (int32_t)end;
    }
    return end;
}

static PyObject *
copy_parts(const struct column *source, const struct column *starts, const struct column *lengths,
           struct column *offsets)
{
    if (lengths->rows != starts->rows || offsets->rows != starts->rows + 1) {
        PyErr_SetString(PyExc_ValueError, "columns of unequal length");
        return NULL;
    }
    int64_t total = fill_offsets(source, starts, lengths, offsets);
    PyObject *data = total < 0 ? NULL : PyBytes_FromStringAndSize(NULL, (Py_ssize_t)total);
    if (data == NULL)
        return NULL;
    char *to = PyBytes_AS_STRING(data);
    for (Py_ssize_t row = 0; row < starts->rows; row++)
        memcpy(to + I32(*offsets)[row], (char *)source->view.buf + I64(*starts)[row],
               (size_t)I64(*lengths)[row]);
    return data;
}

PyObject *
gather(PyObject *Py_UNUSED(module), PyObject *args)
{
    struct column source, starts, lengths, offsets;
    if (!PyArg_ParseTuple(args, "O&O&O&O&:gather", read_octets, &source, read_i64, &starts,
                          read_i64, &lengths, write_i32, &offsets))
        return NULL;
    PyObject *data = copy_parts(&source, &starts, &lengths, &offsets);
    struct column *all[] = {&source, &starts, &lengths, &offsets};
    release(all, sizeof all / sizeof *all);
    return data;
}
