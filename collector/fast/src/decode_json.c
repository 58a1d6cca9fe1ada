/* decode_json(): twin of the columns that wire/envelopes.py makes of many JSON messages.
 *
 * Does: turn envelopes into lists of Python objects. Does not: raise because of a message.
 *
 * Rules: making objects costs more than reading the text, so what neighbours share (subscription
 * id, times, a few generators) is made once.
 */
#include "native.h"

#define COLUMNS 6
#define GENERATORS 64 /* generators of a batch that are kept; a power of two */

/* What the messages before said, as objects. Empty entries are NULL. */
struct memory {
    struct minute minute;
    struct { uint64_t value; PyObject *text; } generators[GENERATORS]; /* by value % GENERATORS */
    struct { uint32_t value; PyObject *number; } subscription_id;
    struct { int64_t value; PyObject *number; } times[2]; /* event, observation */
};

static void
forget(struct memory *memory)
{
    for (int one = 0; one < GENERATORS; one++)
        Py_XDECREF(memory->generators[one].text);
    Py_XDECREF(memory->subscription_id.number);
    Py_XDECREF(memory->times[0].number);
    Py_XDECREF(memory->times[1].number);
}

/* --- one entry of a column: a new reference, NULL with an exception when there is no memory */

static PyObject *
subscription_id(struct memory *memory, const struct envelope *said)
{
    if (!(said->seen & ID))
        return Py_NewRef(Py_None);
    if (memory->subscription_id.number == NULL
        || memory->subscription_id.value != said->subscription_id) {
        PyObject *number = PyLong_FromUnsignedLong(said->subscription_id);
        if (number == NULL)
            return NULL;
        Py_XSETREF(memory->subscription_id.number, number);
        memory->subscription_id.value = said->subscription_id;
    }
    return Py_NewRef(memory->subscription_id.number);
}

static PyObject *
generator(struct memory *memory, const struct envelope *said)
{
    if (!(said->seen & PUBLISHER_ID))
        return Py_NewRef(Py_None);
    size_t place = said->generator % GENERATORS;
    PyObject *text = memory->generators[place].text;
    if (text == NULL || memory->generators[place].value != said->generator) {
        text = PyUnicode_FromStringAndSize((const char *)said->generator_text,
                                           said->generator_length);
        if (text == NULL)
            return NULL;
        Py_XSETREF(memory->generators[place].text, text);
        memory->generators[place].value = said->generator;
    }
    return Py_NewRef(text);
}

static PyObject *
time_ns(struct memory *memory, int which, bool there, int64_t ns)
{
    if (!there)
        return Py_NewRef(Py_None);
    if (memory->times[which].number == NULL || memory->times[which].value != ns) {
        PyObject *number = PyLong_FromLongLong(ns);
        if (number == NULL)
            return NULL;
        Py_XSETREF(memory->times[which].number, number);
        memory->times[which].value = ns;
    }
    return Py_NewRef(memory->times[which].number);
}

/* --- rows */

/* Fill one row. `kinds`: push-update, push-change-update, other. `said`: NULL when unusual. */
static bool
fill_row(PyObject *columns, Py_ssize_t row, PyObject *kinds, struct memory *memory,
         const struct envelope *said)
{
    static const struct envelope nothing;
    int kind = said == NULL ? 2 : said->seen & PUSH_CHANGE_UPDATE ? 1 : 0;
    if (said == NULL)
        said = &nothing;
    PyObject *entries[COLUMNS] = {
        subscription_id(memory, said),
        generator(memory, said),
        Py_NewRef(PyTuple_GET_ITEM(kinds, kind)),
        time_ns(memory, 0, said->seen & EVENT_TIME, said->event_time),
        time_ns(memory, 1, said->seen & TIMESTAMP, said->observation_time),
        Py_NewRef(said->seen & INCOMPLETE_UPDATE ? Py_True : Py_False),
    };
    bool complete = true;
    for (int column = 0; column < COLUMNS; column++) {
        complete &= entries[column] != NULL;
        PyList_SET_ITEM(PyTuple_GET_ITEM(columns, column), row, entries[column]);
    }
    return complete;
}

static bool
fill_rows(PyObject *payloads, PyObject *kinds, PyObject *columns, PyObject *unusual,
          struct memory *memory)
{
    for (Py_ssize_t row = 0; row < PyTuple_GET_SIZE(payloads); row++) {
        PyObject *payload = PyTuple_GET_ITEM(payloads, row);
        struct envelope said;
        bool usual = PyBytes_Check(payload)
            && read_envelope((const octet *)PyBytes_AS_STRING(payload),
                             (size_t)PyBytes_GET_SIZE(payload), &memory->minute, &said);
        if (!fill_row(columns, row, kinds, memory, usual ? &said : NULL))
            return false;
        if (usual)
            continue;
        PyObject *number = PyLong_FromSsize_t(row);
        if (number == NULL)
            return false;
        int failed = PyList_Append(unusual, number);
        Py_DECREF(number);
        if (failed)
            return false;
    }
    return true;
}

static PyObject *
new_columns(Py_ssize_t rows)
{
    PyObject *columns = PyTuple_New(COLUMNS);
    if (columns == NULL)
        return NULL;
    for (int column = 0; column < COLUMNS; column++) {
        PyObject *list = PyList_New(rows);
        if (list == NULL) {
            Py_DECREF(columns);
            return NULL;
        }
        PyTuple_SET_ITEM(columns, column, list);
    }
    return columns;
}

PyObject *
decode_json(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2 || !PyTuple_CheckExact(arguments[1]) || PyTuple_GET_SIZE(arguments[1]) != 3) {
        PyErr_SetString(PyExc_TypeError, "decode_json(payloads, (push, change, other))");
        return NULL;
    }
    /* a tuple of our own: the caller's list could change while objects are made */
    PyObject *payloads = PySequence_Tuple(arguments[0]);
    if (payloads == NULL)
        return NULL;
    struct memory memory;
    memset(&memory, 0, sizeof memory);
    PyObject *columns = new_columns(PyTuple_GET_SIZE(payloads));
    PyObject *unusual = PyList_New(0), *result = NULL;
    if (columns != NULL && unusual != NULL
        && fill_rows(payloads, arguments[1], columns, unusual, &memory))
        result = PyTuple_Pack(2, columns, unusual);
    forget(&memory);
    Py_XDECREF(columns);
    Py_XDECREF(unusual);
    Py_DECREF(payloads);
    return result;
}
