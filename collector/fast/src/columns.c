/* Takes and lets go of the memory of columns; see columns.h. */
#include "columns.h"

/* `kinds`: the format characters of the struct module that mean this type. */
static int
take(PyObject *object, struct column *column, const char *kinds, Py_ssize_t size, int flags)
{
    if (object == NULL) { /* a later argument was refused */
        PyBuffer_Release(&column->view);
        return 0;
    }
    flags |= PyBUF_FORMAT | PyBUF_ND;
    if (PyObject_GetBuffer(object, &column->view, flags) < 0)
        return 0;
    const char *format = column->view.format == NULL ? "B" : column->view.format;
    bool aligned = (uintptr_t)column->view.buf % (uintptr_t)size == 0 || column->view.len == 0;
    if (column->view.ndim > 1 || column->view.itemsize != size || strlen(format) != 1 ||
        strchr(kinds, *format) == NULL || !aligned) {
        PyBuffer_Release(&column->view);
        PyErr_Format(PyExc_TypeError, "a column of \"%s\" where one of \"%s\" is needed", format,
                     kinds);
        return 0;
    }
    column->rows = column->view.len / size;
    return Py_CLEANUP_SUPPORTED;
}

#define CONVERTER(name, kinds, type, flags)                                                        \
    int name(PyObject *object, void *column)                                                       \
    {                                                                                              \
        return take(object, column, kinds, sizeof(type), flags);                                   \
    }

CONVERTER(read_octets, "Bb?c", octet, 0)
CONVERTER(read_i32, "il", int32_t, 0)
CONVERTER(read_u32, "IL", uint32_t, 0)
CONVERTER(read_i64, "lq", int64_t, 0)
CONVERTER(write_octets, "B", octet, PyBUF_WRITABLE)
CONVERTER(write_i32, "il", int32_t, PyBUF_WRITABLE)
CONVERTER(write_u32, "IL", uint32_t, PyBUF_WRITABLE)
CONVERTER(write_i64, "lq", int64_t, PyBUF_WRITABLE)

void
release(struct column **columns, size_t count)
{
    for (size_t one = 0; one < count; one++)
        PyBuffer_Release(&columns[one]->view);
}
