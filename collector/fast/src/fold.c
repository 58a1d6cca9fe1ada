/* The fold of common messages: what collector/core/straight.py does, on the same objects.
 *
 * A message that is not common is left untouched and handed back; so is every one that has
 * conclusions to be drawn. The rules are there; this only says them again.
 */
#include "message.h"

static int
add_row(PyObject *placed[3], struct message *m)
{
    const struct layout *at = m->at;
    return PyList_Append(placed[0], GET(m->originator, o_name)) < 0 ||
                   PyList_Append(placed[1], GET(m->subscription, s_revision)) < 0 ||
                   PyList_Append(placed[2], m->index_o) < 0
               ? -1
               : 0;
}

static int
first_due(PyObject *heap, int64_t *due)
{
    *due = INT64_MAX;
    if (PyList_GET_SIZE(heap) == 0)
        return 0;
    PyObject *entry = PyList_GET_ITEM(heap, 0);
    if (PyTuple_CheckExact(entry) && PyTuple_GET_SIZE(entry) > 0 &&
        PyLong_CheckExact(PyTuple_GET_ITEM(entry, 0))) {
        int beyond; /* 64 bits: then it is due before every arrival, or never */
        *due = PyLong_AsLongLongAndOverflow(PyTuple_GET_ITEM(entry, 0), &beyond);
        if (beyond)
            *due = beyond > 0 ? INT64_MAX : INT64_MIN;
        return 0;
    }
    PyErr_SetString(PyExc_TypeError, "the heap holds something else than deadlines");
    return -1;
}

static int
take_columns(struct batch *b, PyObject *columns)
{
    if (PyTuple_GET_SIZE(columns) != COLUMNS) {
        PyErr_Format(PyExc_ValueError, "there are %d columns", COLUMNS);
        return -1;
    }
    for (int i = 0; i < COLUMNS; i++) {
        b->column[i] = PyTuple_GET_ITEM(columns, i);
        if (!PyList_CheckExact(b->column[i]) ||
            PyList_GET_SIZE(b->column[i]) != PyList_GET_SIZE(b->column[0])) {
            PyErr_SetString(PyExc_ValueError, "the columns are lists of one length");
            return -1;
        }
    }
    return 0;
}

/* One message; why to stop, DONE to go on, -1 with an exception set. */
static int
place_one(struct batch *b, Py_ssize_t row, PyObject *placed[3], struct message *m)
{
    int why = find_message(b, row, m);
    if (why == DONE) {
        why = keep_message(b, m);
        if (why >= 0 && add_row(placed, m) < 0)
            why = -1;
    }
    if (why == UNCOMMON && PyErr_Occurred())
        return -1;
    if (why == -1 && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "the state of the engine holds something unknown");
    return why;
}

/* place(layout, devices, heap, mapped, columns, placed, open_period, push_update_kind)
   -> (why, subscription, index, arrival), None for what the answer does not have */
PyObject *
native_place(PyObject *Py_UNUSED(module), PyObject *args)
{
    struct batch b = {0};
    PyObject *layout, *heap, *columns, *placed[3];
    if (!PyArg_ParseTuple(args, "OO!O!pO!(O!O!O!)OO", &layout, &PyDict_Type, &b.devices,
                          &PyList_Type, &heap, &b.mapped, &PyTuple_Type, &columns, &PyList_Type,
                          &placed[0], &PyList_Type, &placed[1], &PyList_Type, &placed[2],
                          &b.open_period, &b.push_update_kind))
        return NULL;
    b.at = layout_of(layout);
    if (b.at == NULL || take_columns(&b, columns) < 0 || first_due(heap, &b.due) < 0)
        return NULL;
    Py_ssize_t rows = PyList_GET_SIZE(b.column[0]);
    for (Py_ssize_t row = PyList_GET_SIZE(placed[0]); row < rows; row++) {
        struct message m;
        PyObject *answer = NULL;
        int why = place_one(&b, row, placed, &m);
        if (why == LOOK_HERE || why == LOOK_EARLIER)
            answer = Py_BuildValue("iOOO", why, m.subscription, m.index_o, m.arrival_o);
        else if (why == UNCOMMON || why == DUE)
            answer = Py_BuildValue("iOOO", why, Py_None, Py_None, m.arrival_o);
        Py_XDECREF(m.index_o);
        if (why != DONE)
            return answer;
    }
    return Py_BuildValue("iOOO", DONE, Py_None, Py_None, Py_None);
}
