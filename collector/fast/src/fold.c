/* The fold of common messages: what collector/core/placing/straight.py does, on the same objects.
 *
 * A message that is not common is left untouched and handed back; so is every one that has
 * conclusions to be drawn. The rules are there; this only says them again.
 */
#include "message.h"

/* The columns of core Placements, and how a name gets its place in the first one. */
struct placed {
    struct column names, revisions, indexes;
    PyObject *place_of;
    PyObject *name; /* borrowed: the last one */
    uint32_t code;
};

static int
fill_row(struct placed *to, Py_ssize_t row, struct message *m)
{
    const struct layout *at = m->at;
    PyObject *name = GET(m->originator, o_name);
    if (name != to->name) {
        PyObject *place = PyObject_CallOneArg(to->place_of, name);
        if (place == NULL)
            return -1;
        to->code = (uint32_t)PyLong_AsUnsignedLong(place);
        Py_DECREF(place);
        if (PyErr_Occurred())
            return -1;
        to->name = name;
    }
    U32(to->names)[row] = to->code;
    I64(to->indexes)[row] = m->index;
    return number(GET(m->subscription, s_revision), &I64(to->revisions)[row]) ? 0 : -1;
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

/* One message; why to stop, DONE to go on, -1 with an exception set. */
static int
place_one(struct batch *b, Py_ssize_t row, struct placed *placed, struct message *m)
{
    int why = find_message(b, row, m);
    if (why == DONE) {
        why = keep_message(b, m);
        if (why >= 0 && fill_row(placed, row, m) < 0)
            why = -1;
    }
    if (why == UNCOMMON && PyErr_Occurred())
        return -1;
    if (why == -1 && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "the state of the engine holds something unknown");
    return why;
}

/* From a row on until there is something to do; the answer of place(), NULL with an exception. */
static PyObject *
place_rows(struct batch *b, Py_ssize_t row, struct placed *placed)
{
    for (; row < b->rows; row++) {
        struct message m;
        PyObject *answer = NULL;
        int why = place_one(b, row, placed, &m);
        if (why == LOOK_HERE || why == LOOK_EARLIER)
            answer = Py_BuildValue("inOOO", why, row + 1, m.subscription, m.index_o, m.arrival_o);
        else if (why == UNCOMMON || why == DUE)
            answer = Py_BuildValue("inOOO", why, row, Py_None, Py_None, m.arrival_o);
        Py_XDECREF(m.index_o);
        if (why != DONE)
            return answer;
    }
    return Py_BuildValue("inOOO", DONE, row, Py_None, Py_None, Py_None);
}

static int
is_even(const struct batch *b, const struct placed *placed, Py_ssize_t row)
{
    const struct column *all[] = {
        &b->device_name.codes, &b->source.codes, &b->name.codes, &b->kind.codes, &b->header,
        &b->message_id, &b->key, &b->event_time, &b->time, &b->incomplete, &b->offset,
        &placed->names, &placed->revisions, &placed->indexes,
    };
    for (size_t one = 0; one < sizeof all / sizeof *all; one++)
        if (all[one]->rows != b->rows)
            return 0;
    return 0 <= row && row <= b->rows;
}

/* Two tuples for PyArg_ParseTuple: nested in one format, its list of what to let go of on an error
 * would be too short for them. */
static int
take_columns(struct batch *b, PyObject *columns)
{
    return PyArg_ParseTuple(
        columns, "O&O!O&O!O&O&O&O&O!O&O!O&O&O&O&O&;columns", read_i64, &b->arrival, &PyList_Type,
        &b->device_name.words, read_u32, &b->device_name.codes, &PyList_Type, &b->source.words,
        read_u32, &b->source.codes, read_i64, &b->header, read_i64, &b->message_id, read_i64,
        &b->key, &PyList_Type, &b->name.words, read_u32, &b->name.codes, &PyList_Type,
        &b->kind.words, read_u32, &b->kind.codes, read_i64, &b->event_time, read_i64, &b->time,
        read_octets, &b->incomplete, read_i64, &b->offset);
}

static void
release_columns(struct batch *b)
{
    struct column *all[] = {
        &b->arrival, &b->device_name.codes, &b->source.codes, &b->header, &b->message_id, &b->key,
        &b->name.codes, &b->kind.codes, &b->event_time, &b->time, &b->incomplete, &b->offset,
    };
    release(all, sizeof all / sizeof *all);
}

static PyObject *
place_in(struct batch *b, struct placed *placed, Py_ssize_t row, PyObject *heap)
{
    PyObject *answer = NULL;
    b->rows = b->arrival.rows;
    if (!is_even(b, placed, row))
        PyErr_SetString(PyExc_ValueError, "the columns are of one length");
    else if (first_due(heap, &b->due) == 0)
        answer = place_rows(b, row, placed);
    Py_XDECREF(b->made_arrival.object);
    Py_XDECREF(b->made_event_time.object);
    return answer;
}

/* place(layout, devices, heap, mapped, columns, placed, row, open_period, push_update_kind) -> (why, row, subscription, index, arrival), None for what the answer does not
   have */
PyObject *
native_place(PyObject *Py_UNUSED(module), PyObject *args)
{
    struct batch b = {0};
    struct placed placed = {0};
    PyObject *layout, *heap, *columns, *where, *answer = NULL;
    Py_ssize_t row;
    if (!PyArg_ParseTuple(args, "OO!O!pO!O!nOO:place", &layout, &PyDict_Type, &b.devices,
                          &PyList_Type, &heap, &b.mapped, &PyTuple_Type, &columns, &PyTuple_Type,
                          &where, &row, &b.open_period, &b.push_update_kind))
        return NULL;
    b.at = layout_of(layout);
    if (b.at == NULL || !take_columns(&b, columns))
        return NULL;
    if (PyArg_ParseTuple(where, "OO&O&O&;placed", &placed.place_of, write_u32, &placed.names,
                         write_i64, &placed.revisions, write_i64, &placed.indexes)) {
        answer = place_in(&b, &placed, row, heap);
        struct column *all[] = {&placed.names, &placed.revisions, &placed.indexes};
        release(all, sizeof all / sizeof *all);
    }
    release_columns(&b);
    return answer;
}
