/* read_envelopes(): twin of the columns that wire/notifications/envelopes.py makes of many messages.
 *
 * Does: read envelopes into columns of machine integers that the caller made. Does not: raise
 * because of a message, or touch the entries of one that Python has to look at.
 *
 * Rules: a message is copied to a place of its own before it is read: the octet behind it must be 0
 * (see native.h), and in the column the next message stands there.
 */
#include "columns.h"

#define GENERATORS 64 /* generators of a batch that are kept; a power of two */

/* Encodings, by their media types; every other number is Python's. */
enum { JSON = 1, XML = 2 };

/* Places in the list of kinds: wire/notifications/envelopes.py has the same order. */
enum { PUSH, CHANGE };

struct columns {
    struct column data, offsets, encoding;
    struct column subscription_id, generator, kind, event_time, observation_time, incomplete,
        sequence_number;
    PyObject *generators; /* list of the texts */
    Py_ssize_t rows;
};

/* What the messages before said. */
struct memory {
    struct minute minute;
    struct { uint64_t value; uint32_t code; } generators[GENERATORS]; /* by value % GENERATORS;
                                                                         code 0: none is kept */
    octet *text; /* the message that is read */
    size_t room;
};

/* The place of a generator's text in the list; 0 with an exception when there is no memory. */
static uint32_t
code_of(struct columns *to, struct memory *memory, const struct envelope *said)
{
    size_t place = said->generator % GENERATORS;
    uint32_t code = memory->generators[place].code;
    if (code != 0 && memory->generators[place].value == said->generator)
        return code;
    PyObject *text = PyUnicode_FromStringAndSize((const char *)said->generator_text,
                                                 said->generator_length);
    if (text == NULL)
        return 0;
    code = (uint32_t)PyList_GET_SIZE(to->generators);
    int failed = PyList_Append(to->generators, text);
    Py_DECREF(text);
    if (failed)
        return 0;
    memory->generators[place].value = said->generator;
    memory->generators[place].code = code;
    return code;
}

static bool
fill_row(struct columns *to, Py_ssize_t row, struct memory *memory, const struct envelope *said)
{
    uint32_t code = 0;
    if (said->seen & PUBLISHER_ID) {
        code = code_of(to, memory, said);
        if (code == 0)
            return false;
    }
    U32(to->generator)[row] = code;
    U32(to->kind)[row] = said->seen & PUSH_CHANGE_UPDATE ? CHANGE : PUSH;
    I64(to->subscription_id)[row] = said->seen & ID ? (int64_t)said->subscription_id : NOTHING;
    I64(to->event_time)[row] = said->seen & EVENT_TIME ? said->event_time : NOTHING;
    I64(to->observation_time)[row] = said->seen & TIMESTAMP ? said->observation_time : NOTHING;
    I64(to->sequence_number)[row] = said->seen & (SEQUENCE_NUMBER | OWN_SEQUENCE_NUMBER)
                                        ? (int64_t)said->sequence_number
                                        : NOTHING;
    U8(to->incomplete)[row] = (said->seen & INCOMPLETE_UPDATE) != 0;
    return true;
}

/* The message with a 0 behind it; NULL with an exception when there is no memory. */
static const octet *
message(const struct columns *from, struct memory *memory, Py_ssize_t row, size_t *length)
{
    int32_t start = I32(from->offsets)[row], end = I32(from->offsets)[row + 1];
    if (start < 0 || end < start || end > from->data.view.len) {
        PyErr_SetString(PyExc_ValueError, "offsets that are none of this data");
        return NULL;
    }
    *length = (size_t)(end - start);
    if (memory->room <= *length) {
        size_t room = 2 * *length + 1;
        octet *text = PyMem_Realloc(memory->text, room);
        if (text == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        memory->text = text;
        memory->room = room;
    }
    memcpy(memory->text, (const octet *)from->data.view.buf + start, *length);
    memory->text[*length] = 0;
    return memory->text;
}

static bool
fill_rows(struct columns *columns, PyObject *unusual)
{
    struct memory memory;
    memset(&memory, 0, sizeof memory);
    bool complete = true;
    for (Py_ssize_t row = 0; complete && row < columns->rows; row++) {
        struct envelope said;
        size_t length;
        octet encoding = U8(columns->encoding)[row];
        if (encoding == JSON || encoding == XML) {
            const octet *text = message(columns, &memory, row, &length);
            if (text != NULL && (encoding == JSON ? read_json_envelope : read_xml_envelope)(
                                    text, length, &memory.minute, &said)) {
                complete = fill_row(columns, row, &memory, &said);
                continue;
            }
            if (text == NULL) {
                complete = false;
                continue;
            }
        }
        PyObject *number = PyLong_FromSsize_t(row);
        complete = number != NULL && PyList_Append(unusual, number) == 0;
        Py_XDECREF(number);
    }
    PyMem_Free(memory.text);
    return complete;
}

/* read_envelopes(data, offsets, encoding, subscription_id, generator, generators, kind, event_time,
                  observation_time, incomplete, sequence_number) -> rows that are unusual */
PyObject *
read_envelopes(PyObject *Py_UNUSED(module), PyObject *args)
{
    struct columns c = {.rows = -1};
    PyObject *unusual = NULL;
    if (!PyArg_ParseTuple(args, "O&O&O&O&O&O!O&O&O&O&O&:read_envelopes", read_octets, &c.data,
                          read_i32, &c.offsets, read_octets, &c.encoding,
                          write_i64, &c.subscription_id, write_u32, &c.generator, &PyList_Type,
                          &c.generators, write_u32, &c.kind, write_i64, &c.event_time,
                          write_i64, &c.observation_time, write_octets, &c.incomplete,
                          write_i64, &c.sequence_number))
        return NULL;
    c.rows = c.offsets.rows - 1;
    if (c.rows < 0 || c.encoding.rows != c.rows || c.subscription_id.rows != c.rows ||
        c.generator.rows != c.rows || c.kind.rows != c.rows || c.event_time.rows != c.rows ||
        c.observation_time.rows != c.rows || c.incomplete.rows != c.rows ||
        c.sequence_number.rows != c.rows ||
        PyList_GET_SIZE(c.generators) < 1)
        PyErr_SetString(PyExc_ValueError, "columns of unequal length");
    else {
        unusual = PyList_New(0);
        if (unusual != NULL && !fill_rows(&c, unusual))
            Py_CLEAR(unusual);
    }
    struct column *all[] = {&c.data, &c.offsets, &c.encoding, &c.subscription_id, &c.generator,
                            &c.kind, &c.event_time, &c.observation_time, &c.incomplete,
                            &c.sequence_number};
    release(all, sizeof all / sizeof *all);
    return unusual;
}
