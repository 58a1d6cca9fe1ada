/* The envelope of a push-update or push-change-update in XML: the usual forms of RFC 5277 and of
 * draft-ietf-netconf-notif-envelope, as wire/encodings/yang_xml.py reads them.
 *
 * Does: read the elements that both know, in any order and with any prefixes, and prove the rest of
 * the document well-formed. Does not: decide about anything else: another element, one that comes
 * twice, text beside elements, a value that is not of the plainest form.
 *
 * Rules: an element is known by its name and its namespace, never by its prefix.
 */
#include "xml_text.h"

#define YANG "urn:ietf:params:xml:ns:yang:"

static const char ENVELOPE_URI[] = YANG "ietf-yp-notification";
static const char RFC_5277[] = "urn:ietf:params:xml:ns:netconf:notification:1.0";
static const char SEQUENCING[] = YANG "ietf-notification-sequencing";
static const char YANG_PUSH[] = YANG "ietf-yang-push";
static const char DISTRIBUTED[] = YANG "ietf-distributed-notif";
static const char OBSERVATION[] = YANG "ietf-yp-observation";

struct known {
    const char *name;
    size_t length;
    const char *uri;
    size_t uri_length;
    enum member member;
    const struct known *inside; /* elements of a container, else NULL */
};

#define NAME(name, uri) name, sizeof(name) - 1, uri, sizeof(uri) - 1
#define END {NULL, 0, NULL, 0, 0, NULL}
#define PAYLOADS \
    {NAME("push-update", YANG_PUSH), PUSH_UPDATE, UPDATE}, \
    {NAME("push-change-update", YANG_PUSH), PUSH_CHANGE_UPDATE, UPDATE}

static const struct known UPDATE[] = {
    {NAME("id", YANG_PUSH), ID, NULL},
    {NAME("message-publisher-id", DISTRIBUTED), PUBLISHER_ID, NULL},
    {NAME("timestamp", OBSERVATION), TIMESTAMP, NULL},
    {NAME("point-in-time", OBSERVATION), POINT_IN_TIME, NULL},
    {NAME("datastore-contents", YANG_PUSH), DATASTORE_CONTENTS, NULL},
    {NAME("datastore-changes", YANG_PUSH), DATASTORE_CHANGES, NULL},
    {NAME("incomplete-update", YANG_PUSH), INCOMPLETE_UPDATE, NULL},
    END,
};
static const struct known PAYLOAD_ONLY[] = {PAYLOADS, END};
static const struct known ENVELOPE[] = {
    {NAME("event-time", ENVELOPE_URI), EVENT_TIME, NULL},
    {NAME("hostname", ENVELOPE_URI), HOST, NULL},
    {NAME("sequence-number", ENVELOPE_URI), SEQUENCE_NUMBER, NULL},
    {NAME("contents", ENVELOPE_URI), CONTENTS, PAYLOAD_ONLY},
    {NAME("notification-contents", ENVELOPE_URI), CONTENTS, PAYLOAD_ONLY},
    END,
};
static const struct known NOTIFICATION[] = {
    {NAME("eventTime", RFC_5277), EVENT_TIME, NULL},
    {NAME("sysName", SEQUENCING), HOST, NULL},
    {NAME("sequenceNumber", SEQUENCING), SEQUENCE_NUMBER, NULL},
    /* as IOS XR qualifies them: with the wrapper's own module */
    {NAME("sysName", RFC_5277), HOST, NULL},
    {NAME("sequenceNumber", RFC_5277), SEQUENCE_NUMBER, NULL},
    PAYLOADS,
    END,
};
static const struct known DOCUMENT[] = {
    {NAME("envelope", ENVELOPE_URI), ROOT, ENVELOPE},
    {NAME("notification", RFC_5277), ROOT, NOTIFICATION},
    END,
};

/* A message on the way. */
struct reading {
    struct xml xml;
    struct minute *last;
    struct envelope *found;
};

/* --- leaves */

static bool
read_number(struct piece text, uint64_t maximum, uint64_t *value)
{
    const octet *end = read_uint(text.text, maximum, value);
    return end != NULL && end == text.text + text.length;
}

/* What a leaf says, blanks around it taken off; false when Python has to look at it. */
static bool
take_leaf(struct reading *reading, enum member member, struct piece text)
{
    struct envelope *found = reading->found;
    uint64_t number = 0;
    switch (member) {
    case EVENT_TIME:
        return read_date_and_time(text.text, text.length, reading->last, &found->event_time);
    case TIMESTAMP:
        return read_date_and_time(text.text, text.length, reading->last, &found->observation_time);
    case SEQUENCE_NUMBER:
        if (!read_number(text, UINT32_MAX, &number))
            return false;
        found->sequence_number = (uint32_t)number;
        return true;
    case ID:
        if (!read_number(text, UINT32_MAX, &number))
            return false;
        found->subscription_id = (uint32_t)number;
        return true;
    case PUBLISHER_ID:
        found->generator_text = text.text;
        found->generator_length = (int)text.length;
        return read_number(text, UINT64_MAX, &found->generator);
    case INCOMPLETE_UPDATE:
        return text.length == 0;
    default:
        return true; /* the host's name, the point in time */
    }
}

/* Behind a leaf, from the octet behind its start tag. */
static const octet *
read_leaf(struct reading *reading, const octet *at, enum member member)
{
    if (member == DATASTORE_CONTENTS || member == DATASTORE_CHANGES)
        return xml_inside(&reading->xml, at);
    const octet *start = xml_blanks(at);
    at = xml_text(start, reading->xml.end);
    if (at == NULL || at[1] != '/')
        return NULL;
    const octet *end = at;
    while (end > start && (end[-1] == ' ' || (octet)(end[-1] - '\t') < 2 || end[-1] == '\r'))
        end--;
    if (!take_leaf(reading, member, (struct piece){start, (size_t)(end - start)}))
        return NULL;
    return xml_end(&reading->xml, at + 2);
}

/* --- elements */

static const struct known *
find_known(const struct known *one, const struct tag *tag)
{
    for (; one->name != NULL; one++)
        if (tag->local.length == one->length && tag->uri.length == one->uri_length &&
            memcmp(tag->local.text, one->name, one->length) == 0 &&
            memcmp(tag->uri.text, one->uri, one->uri_length) == 0)
            return one;
    return NULL;
}

static const octet *read_elements(struct reading *, const octet *, const struct known *);

/* Behind an element of a table, from its '<'. */
static const octet *
read_element(struct reading *reading, const octet *at, const struct known *table)
{
    struct tag tag;
    if (*at != '<')
        return NULL;
    at = xml_start(&reading->xml, at + 1, &tag);
    const struct known *one = at == NULL ? NULL : find_known(table, &tag);
    if (one == NULL || (reading->found->seen & one->member))
        return NULL;
    reading->found->seen |= one->member;
    if (!tag.empty)
        return one->inside != NULL ? read_elements(reading, at, one->inside)
                                   : read_leaf(reading, at, one->member);
    if (one->inside == NULL && one->member != DATASTORE_CONTENTS &&
        one->member != DATASTORE_CHANGES &&
        !take_leaf(reading, one->member, (struct piece){at, 0}))
        return NULL;
    return at;
}

/* Behind the open element, from the octet behind its start tag; blanks between its elements. */
static const octet *
read_elements(struct reading *reading, const octet *at, const struct known *table)
{
    for (;;) {
        at = xml_blanks(at);
        if (at[0] == '<' && at[1] == '/')
            return xml_end(&reading->xml, at + 2);
        at = read_element(reading, at, table);
        if (at == NULL)
            return NULL;
    }
}

/* Behind `text`, which begins at `at`, else NULL. strncmp stops at the 0 behind the document. */
static const octet *
skip_word(const octet *at, const char *text)
{
    size_t length = strlen(text);
    return strncmp((const char *)at, text, length) == 0 ? at + length : NULL;
}

/* Behind the XML declaration in a usual spelling, or where there is none. */
static const octet *
skip_declaration(const octet *at)
{
    static const char *const known[] = {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<?xml version='1.0' encoding='UTF-8'?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>", "<?xml version='1.0' encoding='utf-8'?>",
        "<?xml version=\"1.0\"?>",                    "<?xml version='1.0'?>",
    };
    if (at[0] != '<' || at[1] != '?')
        return at;
    for (size_t one = 0; one < sizeof known / sizeof *known; one++) {
        const octet *behind = skip_word(at, known[one]);
        if (behind != NULL)
            return xml_blanks(behind);
    }
    return NULL;
}

bool
read_xml_envelope(const octet *text, size_t length, struct minute *last, struct envelope *found)
{
    struct reading reading;
    reading.xml.end = text + length;
    reading.xml.depth = reading.xml.scopes = 0;
    reading.last = last;
    reading.found = found;
    found->seen = 0;
    const octet *at = skip_declaration(text);
    if (at != NULL)
        at = read_element(&reading, at, DOCUMENT);
    if (at == NULL || xml_blanks(at) != reading.xml.end)
        return false;
    unsigned payload = found->seen & (PUSH_UPDATE | PUSH_CHANGE_UPDATE);
    return payload == PUSH_UPDATE || payload == PUSH_CHANGE_UPDATE;
}
