/* XML 1.0 with namespaces in UTF-8: is it well-formed, and what is in which namespace? */
#ifndef COLLECTOR_XML_TEXT_H
#define COLLECTOR_XML_TEXT_H

#include "native.h"

/* Prefixes in scope at once; ours. What declares more is left to Python. */
#define MAX_SCOPES 64

struct piece {
    const octet *text;
    size_t length;
};

/* A document on the way: the elements that are open, and the prefixes in scope. */
struct xml {
    const octet *end;
    int depth;
    int scopes;
    struct piece open[MAX_DEPTH]; /* names as they stand in the start tags */
    int scopes_before[MAX_DEPTH]; /* scopes in force around each open element */
    struct { struct piece prefix, uri; } scope[MAX_SCOPES];
};

/* An element that began. */
struct tag {
    struct piece uri;   /* of its namespace; length 0 for none */
    struct piece local; /* its name without prefix */
    bool empty;         /* it has ended, too */
};

/* Each returns where it goes on, NULL for what is not well-formed or not sure. */

/* Behind a start tag, from the octet behind its '<'. */
const octet *xml_start(struct xml *xml, const octet *at, struct tag *tag);

/* Behind the end tag of the innermost open element, from the octet behind its "</". */
const octet *xml_end(struct xml *xml, const octet *at);

/* The '<' at which character data ends. */
const octet *xml_text(const octet *at, const octet *end);

/* Behind the end tag of the innermost open element, from the octet behind its start tag. */
const octet *xml_inside(struct xml *xml, const octet *at);

static inline const octet *
xml_blanks(const octet *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
        at++;
    return at;
}

#endif
