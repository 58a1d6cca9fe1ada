/* A batch of updates, and one message of it on its way through the fold. */
#ifndef COLLECTOR_MESSAGE_H
#define COLLECTOR_MESSAGE_H

#include "layout.h"

/* Why the loop stops; the same numbers as in core/straight_compiled.py. */
enum { DONE, UNCOMMON, DUE, LOOK_HERE, LOOK_EARLIER };

#define ID_MASK 0xFFFFFFFFLL

/* The columns, in the order of core/update_columns.COLUMNS. */
enum {
    COL_ARRIVAL, COL_DEVICE_NAME, COL_SOURCE, COL_PORT, COL_HEADER, COL_MESSAGE_ID, COL_KEY,
    COL_NAME, COL_KIND, COL_EVENT_TIME, COL_TIME, COL_INCOMPLETE, COL_OFFSET, COLUMNS
};

struct batch {
    const struct layout *at;
    PyObject *column[COLUMNS];
    PyObject *devices, *open_period, *push_update_kind;
    int mapped;
    int64_t due; /* first entry of the heap */
    /* where the row before was found: cards send in bursts */
    PyObject *device_name, *device, *source, *header, *counter;
};

/* Of a message in a ring; seen_ids.NUMBERS. */
struct numbers {
    int64_t arrival, id, time;
};

struct message {
    const struct layout *at;
    PyObject *arrival_o, *message_id_o, *key_o, *name_o, *event_time_o, *time_o;
    int64_t arrival, message_id, time, index, period, remainder, arrival_remainder, last_time;
    PyObject *run, *originator, *subscription, *opened; /* borrowed; opened may be NULL */
    PyObject *index_o; /* ours */
    struct numbers numbers; /* as the ring will have it */
    struct numbers *seen;   /* its place in Run.seen */
    Py_ssize_t place;       /* in Run.speakers */
};

#define COLUMN(batch, which, row) PyList_GET_ITEM((batch)->column[COL_##which], row)

/* Looks everything up and changes nothing. DONE: it is common. UNCOMMON may come with an exception. */
int find_message(struct batch *b, Py_ssize_t row, struct message *m);

/* Does what straight.place_all does to a common message: DONE or what to look at; -1: exception. */
int keep_message(struct batch *b, struct message *m);

#endif
