/* What is kept of a common message: straight.place_all's second half, fold.tell and _keep. */
#include "message.h"

/* message_ids.advance */
static int
keep_id(struct message *m)
{
    const struct layout *at = m->at;
    int64_t messages;
    PyObject *count = NULL;
    if (!number(GET(m->run, r_messages), &messages) ||
        (count = PyLong_FromLongLong(messages + 1)) == NULL)
        return -1;
    PyObject *message_id = PyLong_FromLongLong(m->message_id);
    if (message_id == NULL) {
        Py_DECREF(count);
        return -1;
    }
    *m->seen = m->numbers;
    PyObject *speakers = GET(m->run, r_speakers), *before = PyList_GET_ITEM(speakers, m->place);
    PyObject *speaker = GET(m->originator, o_speaker);
    if (speaker != before) {
        PyList_SET_ITEM(speakers, m->place, Py_NewRef(speaker));
        Py_XDECREF(before);
    }
    PUT(m->run, r_last_id, message_id);
    PUT_SAME(m->run, r_last_arrival, m->arrival_o);
    PUT_SAME(m->run, r_last_time, m->event_time_o == Py_None ? m->arrival_o : m->event_time_o);
    PUT(m->run, r_messages, count);
    PUT_SAME(m->run, r_last_originator, m->originator);
    PUT_SAME(m->run, r_last_index, m->index_o);
    return 0;
}

static int
widen(PyObject *o, Py_ssize_t from, Py_ssize_t to, int64_t seen)
{
    int64_t low, high;
    PyObject **lowest = (PyObject **)((char *)o + from), **highest = (PyObject **)((char *)o + to);
    if (!number(*lowest, &low) || !number(*highest, &high))
        return -1;
    if (low <= seen && seen <= high)
        return 0;
    PyObject *value = PyLong_FromLongLong(seen);
    if (value == NULL)
        return -1;
    put_slot(o, seen < low ? from : to, value);
    return 0;
}

/* fold.tell */
static int
tell(struct message *m)
{
    const struct layout *at = m->at;
    PyObject *o = m->originator, *last_time;
    if (m->event_time_o != Py_None && m->last_time == m->event_time)
        last_time = Py_NewRef(m->event_time_o); /* one object for the cards that say the same */
    else if ((last_time = PyLong_FromLongLong(m->last_time)) == NULL)
        return -1;
    PUT(o, o_last_time, last_time);
    PUT_SAME(o, o_last_arrival, m->arrival_o);
    if (GET(o, o_fresh) == Py_True)
        return widen(o, at->o_seen_times_from, at->o_seen_times_to, m->remainder) < 0 ||
                       widen(o, at->o_seen_arrivals_from, at->o_seen_arrivals_to,
                             m->arrival_remainder) < 0
                   ? -1
                   : 0;
    PyObject *time = PyLong_FromLongLong(m->remainder);
    PyObject *arrival = PyLong_FromLongLong(m->arrival_remainder);
    if (time == NULL || arrival == NULL) {
        Py_XDECREF(time);
        Py_XDECREF(arrival);
        return -1;
    }
    PUT_SAME(o, o_fresh, Py_True);
    PUT_SAME(o, o_seen_times_from, time);
    PUT(o, o_seen_times_to, time);
    PUT_SAME(o, o_seen_arrivals_from, arrival);
    PUT(o, o_seen_arrivals_to, arrival);
    return 0;
}

/* straight._keep: the originator's slot in the period; which periods to look at, -1 on an error */
static int
count_in(struct message *m)
{
    const struct layout *at = m->at;
    PyObject *o = m->originator, *name = GET(o, o_name), *slots = GET(m->opened, p_slots);
    int64_t count = 1, usual, owed, last;
    if (slots == NULL || !PyDict_CheckExact(slots))
        return -1;
    PyObject *slot = PyDict_GetItemWithError(slots, name);
    if (is(slot, at->slot)) {
        if (!number(GET(slot, k_count), &count))
            return -1;
        PyObject *more = PyLong_FromLongLong(++count);
        if (more == NULL)
            return -1;
        PUT(slot, k_count, more);
        PUT_SAME(slot, k_last_arrival, m->arrival_o);
    }
    else {
        PyObject *one = PyLong_FromLong(1);
        PyObject *args[] = {m->index_o, m->arrival_o, m->arrival_o, one};
        slot = one == NULL || PyErr_Occurred()
                   ? NULL
                   : PyObject_Vectorcall((PyObject *)at->slot, args, 4, NULL);
        Py_XDECREF(one);
        if (slot == NULL || PyDict_SetItem(slots, name, slot) < 0) {
            Py_XDECREF(slot);
            return -1;
        }
        Py_DECREF(slot); /* the dict has it */
        if (GET(o, o_member) != Py_True)
            PUT_SAME(m->opened, p_plain, Py_False);
        if (!number(GET(o, o_last_index), &last))
            return -1;
        if (m->index > last) {
            PUT_SAME(o, o_last_index, m->index_o);
            if (GET(o, o_usual) == Py_None)
                return LOOK_EARLIER;
        }
    }
    if (!number(GET(m->opened, p_short), &owed))
        return -1;
    if (owed < 0)
        return LOOK_HERE;
    if (GET(o, o_member) == Py_True && number(GET(o, o_usual), &usual) && usual == count) {
        PyObject *less = PyLong_FromLongLong(--owed);
        if (less == NULL)
            return -1;
        PUT(m->opened, p_short, less);
        return owed == 0 ? LOOK_HERE : DONE;
    }
    return DONE;
}

int
keep_message(struct batch *b, struct message *m)
{
    const struct layout *at = b->at;
    if (keep_id(m) < 0)
        return -1;
    if (m->opened == NULL) {
        PyObject *opened =
            PyObject_CallFunctionObjArgs(b->open_period, m->subscription, m->index_o, NULL);
        if (opened == NULL)
            return -1;
        Py_DECREF(opened); /* the subscription has it */
        if (!is(opened, at->period)) {
            PyErr_SetString(PyExc_TypeError, "open_period made no period");
            return -1;
        }
        m->opened = opened;
        b->run = NULL; /* Python ran */
    }
    return tell(m) < 0 ? -1 : count_in(m);
}

