/* What a message belongs to, and whether it is common: the questions of straight.place_all. */
#include "message.h"

#define PATIENCE 10000000000LL /* ns; seen_ids.PATIENCE */
#define COST_LIMIT 8           /* two_books.COST_LIMIT */

/* dict.get with a key of two; borrowed, NULL without exception when it is not there */
static PyObject *
get_by_two(PyObject *dict, PyObject *first, PyObject *second)
{
    if (dict == NULL || !PyDict_CheckExact(dict))
        return NULL;
    PyObject *key = PyTuple_Pack(2, first, second);
    if (key == NULL)
        return NULL;
    PyObject *found = PyDict_GetItemWithError(dict, key);
    Py_DECREF(key);
    return found;
}

static int
is_empty(PyObject *tuple)
{
    return tuple != NULL && PyTuple_CheckExact(tuple) && PyTuple_GET_SIZE(tuple) == 0;
}

static PyObject *
find_device(struct batch *b, Py_ssize_t row)
{
    const struct layout *at = b->at;
    PyObject *name = word_of(&b->device_name, row);
    PyObject *device = name == NULL ? NULL : PyDict_GetItemWithError(b->devices, name);
    int64_t known;
    if (!is(device, at->device) || !number(GET(device, d_next_offset), &known))
        return NULL;
    return I64(b->offset)[row] < known ? NULL : device;
}

static PyObject *
find_counter(struct batch *b, PyObject *device, Py_ssize_t row)
{
    const struct layout *at = b->at;
    PyObject *source = word_of(&b->source, row);
    if (source == NULL)
        return NULL;
    PyObject *header;
    if (I64(b->header)[row] != NOTHING)
        header = PyLong_FromLongLong(I64(b->header)[row]);
    else {
        PyObject *name = b->mapped ? NULL : word_of(&b->name, row);
        header = name == Py_None ? source : name;
        Py_XINCREF(header);
    }
    if (header == NULL)
        return NULL;
    PyObject *counter = get_by_two(GET(device, d_counters), source, header);
    Py_DECREF(header);
    return is(counter, at->counter) ? counter : NULL;
}

/* The run that counts; NULL when both books are followed, or anything else is not common. */
static PyObject *
find_run(const struct layout *at, PyObject *counter, PyObject *key)
{
    PyObject *run = GET(counter, c_all), *each = GET(counter, c_each);
    if (each == NULL || !PyDict_CheckExact(each))
        return NULL;
    Py_ssize_t runs = PyDict_GET_SIZE(each);
    if (runs > 0) {
        int64_t all_cost, each_cost;
        PyObject *own = PyDict_GetItemWithError(each, key);
        if (own == NULL || !number(GET(counter, c_cost_all), &all_cost) ||
            !number(GET(counter, c_cost_each), &each_cost))
            return NULL;
        int64_t lead = all_cost - each_cost;
        if (runs > 1 && -COST_LIMIT < lead && lead < COST_LIMIT)
            return NULL;
        if (GET(counter, c_per_key) == Py_True)
            run = own;
    }
    else {
        int64_t only, now;
        if (!number(GET(counter, c_only_key), &only) || !number(key, &now) || only != now)
            return NULL;
    }
    return is(run, at->run) ? run : NULL;
}

static int
is_next_id(const struct layout *at, PyObject *run, int64_t message_id)
{
    int64_t last;
    return number(GET(run, r_last_id), &last) && is_empty(GET(run, r_waiting)) &&
           is_empty(GET(run, r_unmet)) && message_id == (int64_t)(((uint64_t)last + 1) & ID_MASK);
}

/* Who has that name in the subscription; borrowed, may be NULL, with an exception or without. */
static PyObject *
get_named(const struct layout *at, PyObject *device, PyObject *key, PyObject *name)
{
    PyObject *subscriptions = GET(device, d_subscriptions);
    if (subscriptions == NULL || !PyDict_CheckExact(subscriptions))
        return NULL;
    PyObject *one = PyDict_GetItemWithError(subscriptions, key);
    PyObject *originators = is(one, at->subscription) ? GET(one, s_originators) : NULL;
    if (originators == NULL || !PyDict_CheckExact(originators))
        return NULL;
    return PyDict_GetItemWithError(originators, name);
}

static PyObject *
find_originator(struct batch *b, PyObject *device, PyObject *counter, PyObject *key,
                PyObject *name)
{
    const struct layout *at = b->at;
    PyObject *originator;
    if (name == Py_None)
        originator = GET(counter, c_by_header);
    else if (b->mapped)
        return NULL;
    else
        originator = get_named(at, device, key, name);
    if (!is(originator, at->originator) || GET(originator, o_counter) != counter)
        return NULL;
    int64_t slips;
    if (GET(originator, o_remembered) != Py_None || !number(GET(originator, o_slips), &slips) ||
        slips != 0 || GET(originator, o_first_index) == Py_None)
        return NULL;
    return originator;
}

static PyObject *
find_subscription(const struct layout *at, PyObject *originator, int64_t key)
{
    PyObject *subscription = GET(originator, o_subscription);
    int64_t id;
    if (!is(subscription, at->subscription) || !number(GET(subscription, s_id), &id) || id != key ||
        GET(subscription, s_live) != Py_True || GET(subscription, s_range_from) != Py_None)
        return NULL;
    return subscription;
}

/* Are both rows of one card and one subscription? */
static int
same_speaker(const struct batch *b, Py_ssize_t one, Py_ssize_t other)
{
#define SAME(type, column) (type(b->column)[one] == type(b->column)[other])
    return SAME(U32, device_name.codes) && SAME(U32, source.codes) && SAME(U32, name.codes) &&
           SAME(I64, header) && SAME(I64, key);
#undef SAME
}

/* Whose message it is; 0 when anything about them is not common. */
static int
find_speaker(struct batch *b, Py_ssize_t row)
{
    if (b->run != NULL && same_speaker(b, b->speaker, row))
        return 1;
    b->run = NULL;
    PyObject *device = find_device(b, row), *name = word_of(&b->name, row), *counter, *run = NULL;
    PyObject *key = I64(b->key)[row] == NOTHING ? NULL : PyLong_FromLongLong(I64(b->key)[row]);
    if (key != NULL && device != NULL && name != NULL &&
        (counter = find_counter(b, device, row)) != NULL &&
        (run = find_run(b->at, counter, key)) != NULL &&
        (b->originator = find_originator(b, device, counter, key, name)) != NULL &&
        (b->subscription = find_subscription(b->at, b->originator, I64(b->key)[row])) != NULL) {
        b->run = run;
        b->speaker = row;
    }
    Py_XDECREF(key);
    return b->run != NULL;
}

/* Its period, by record time and by arrival alike; 0 when they differ or nothing is certain. */
static int
find_index(struct message *m)
{
    const struct layout *at = m->at;
    int64_t base, arrival_base, shift, since, since_arrival;
    PyObject *o = m->originator;
    if (m->time == NOTHING)
        m->time = m->event_time;
    if (m->time == NOTHING || !number(GET(o, o_base), &base) ||
        !number(GET(o, o_arrival_base), &arrival_base) ||
        !number(GET(o, o_shift), &shift) ||
        !number(GET(m->subscription, s_period), &m->period) || m->period <= 0)
        return 0;
    if (__builtin_sub_overflow(m->time, base, &since) ||
        __builtin_sub_overflow(m->arrival, arrival_base, &since_arrival) ||
        __builtin_sub_overflow(m->time, shift, &m->last_time))
        return 0;
    m->index = floor_divide(since, m->period);
    if (m->index != floor_divide(since_arrival, m->period))
        return 0;
    int64_t begun; /* below the smallest number where ``since`` is close to it */
    if (__builtin_mul_overflow(m->index, m->period, &begun))
        return 0;
    m->remainder = since - begun;
    m->arrival_remainder = since_arrival - begun;
    return 1;
}

/* straight._may_end: may one more record end the shortfall that a hole left? */
static int
may_end(struct message *m)
{
    const struct layout *at = m->at;
    PyObject *slots = m->opened == NULL ? NULL : GET(m->opened, p_slots);
    if (slots == NULL || !PyDict_CheckExact(slots))
        return 1;
    PyObject *slot = PyDict_GetItemWithError(slots, GET(m->originator, o_name));
    int64_t count, usual;
    return !is(slot, at->slot) || !number(GET(slot, k_count), &count) ||
           !number(GET(m->originator, o_usual), &usual) || count + 1 >= usual;
}

/* 1 when the period may take it: open, or not begun yet (then ``opened`` stays NULL). */
static int
find_period(struct message *m)
{
    const struct layout *at = m->at;
    PyObject *holes = GET(m->originator, o_holes), *periods = GET(m->subscription, s_periods);
    if (holes == NULL || !PyDict_CheckExact(holes) || periods == NULL ||
        !PyDict_CheckExact(periods))
        return 0;
    PyObject *period = PyDict_GetItemWithError(periods, m->index_o);
    if (period == NULL) {
        int64_t next;
        if (PyErr_Occurred() || !number(GET(m->subscription, s_next_index), &next) ||
            m->index < next)
            return 0;
    }
    else {
        if (!is(period, at->period) || GET(period, p_row) != Py_None ||
            !is(GET(period, p_index), &PyLong_Type))
            return 0;
        /* one object for all that remember it: 32 octets each, in 80,000 places */
        Py_SETREF(m->index_o, Py_NewRef(GET(period, p_index)));
    }
    m->opened = period;
    return PyDict_GET_SIZE(holes) == 0 || PyDict_Contains(holes, m->index_o) == 0 || !may_end(m);
}

/* Where the ring keeps this id, and what it will keep; 0 while what is there is too young to be
 * forgotten. The place in ``seen`` is good until Python code runs: nothing between here and
 * keep_id makes it run. */
static int
find_place(struct message *m)
{
    const struct layout *at = m->at;
    PyObject *seen = GET(m->run, r_seen), *speakers = GET(m->run, r_speakers);
    if (seen == NULL || speakers == NULL || !PyList_CheckExact(speakers) ||
        PyList_GET_SIZE(speakers) == 0 || GET(m->originator, o_speaker) == NULL)
        return 0;
    Py_buffer view;
    if (PyObject_GetBuffer(seen, &view, PyBUF_WRITABLE) < 0)
        return 0;
    struct numbers *all = view.buf;
    Py_ssize_t size = PyList_GET_SIZE(speakers), octets = view.len;
    PyBuffer_Release(&view);
    if (octets != size * (Py_ssize_t)sizeof *all)
        return 0;
    m->place = m->message_id & (size - 1);
    m->seen = &all[m->place];
    m->numbers.arrival = m->arrival;
    m->numbers.id = m->message_id;
    m->numbers.time = m->event_time;
    if (m->event_time == NOTHING) {
        m->numbers.id = ~m->message_id;
        m->numbers.time = 0;
    }
    int64_t age; /* beyond 64 bits: of a message far away, or there is none */
    if (__builtin_sub_overflow(m->arrival, m->seen->arrival, &age))
        return m->arrival > m->seen->arrival;
    return age >= PATIENCE;
}

/* The object of a number; borrowed, NULL with an exception when there is no memory. */
static PyObject *
object_of(struct made *made, int64_t value)
{
    if (made->object == NULL || made->value != value) {
        PyObject *object = PyLong_FromLongLong(value);
        if (object == NULL)
            return NULL;
        Py_XSETREF(made->object, object);
        made->value = value;
    }
    return made->object;
}

int
find_message(struct batch *b, Py_ssize_t row, struct message *m)
{
    m->at = b->at;
    m->index_o = NULL;
    m->arrival = I64(b->arrival)[row];
    m->arrival_o = object_of(&b->made_arrival, m->arrival);
    if (b->due < m->arrival)
        return DUE;
    m->message_id = I64(b->message_id)[row];
    m->event_time = I64(b->event_time)[row];
    m->time = I64(b->time)[row];
    if (U8(b->incomplete)[row] || word_of(&b->kind, row) != b->push_update_kind)
        return UNCOMMON;
    m->event_time_o = m->event_time == NOTHING ? Py_None
                                               : object_of(&b->made_event_time, m->event_time);
    if (m->arrival_o == NULL || m->event_time_o == NULL)
        return -1;
    if (!find_speaker(b, row) || !is_next_id(b->at, b->run, m->message_id))
        return UNCOMMON;
    m->run = b->run;
    m->originator = b->originator;
    m->subscription = b->subscription;
    if (!find_index(m))
        return UNCOMMON;
    if ((m->index_o = PyLong_FromLongLong(m->index)) == NULL)
        return -1;
    m->opened = NULL;
    if (!find_period(m) || !find_place(m))
        return UNCOMMON;
    return DONE;
}
