/* yang:date-and-time (RFC 9911 section 3) in the forms that devices send, as ns since 1970.
 *
 * Does: YYYY-MM-DDThh:mm:ss, up to nine digits of a fraction, Z or a numeric zone. Does not: decide
 * about any other text; wire/values/timestamps.py knows more forms, leap seconds among them.
 */
#include "native.h"

#define SECOND 1000000000LL
#define TO_MINUTE 16 /* characters of YYYY-MM-DDThh:mm */
/* Years whose ns surely fit 64 bits, whatever the zone. */
#define FIRST_YEAR 1700
#define LAST_YEAR 2200

/* The number that `count` digits make; -1 when one of them is none. */
static inline int64_t
digits(const octet *text, size_t count)
{
    int64_t value = 0;
    for (size_t place = 0; place < count; place++) {
        octet digit = (octet)(text[place] - '0');
        if (digit > 9)
            return -1;
        value = 10 * value + digit;
    }
    return value;
}

static int
days_of_month(int64_t year, int64_t month)
{
    static const octet days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01; counted in years that begin in March, so that the leap day comes last. */
static int64_t
days_from_1970(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

static bool
read_minute(const octet *text, struct minute *last)
{
    int64_t year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    int64_t hour = digits(text + 11, 2), minute = digits(text + 14, 2);
    if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':')
        return false;
    if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12)
        return false;
    if (day < 1 || day > days_of_month(year, month))
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    int64_t minutes = (days_from_1970(year, month, day) * 24 + hour) * 60 + minute;
    memcpy(last->text, text, TO_MINUTE);
    last->ns = minutes * 60 * SECOND;
    return true;
}

/* Minutes that +hh:mm or -hh:mm is ahead of UTC. */
static bool
read_zone(const octet *text, int64_t *ahead)
{
    int64_t hours = digits(text + 1, 2), minutes = digits(text + 4, 2);
    if ((text[0] != '+' && text[0] != '-') || text[3] != ':')
        return false;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ahead = hours * 60 + minutes;
    if (text[0] == '-')
        *ahead = -*ahead;
    return true;
}

bool
read_date_and_time(const octet *text, size_t length, struct minute *last, int64_t *ns)
{
    static const int64_t scale[] = {
        0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1,
    }; /* ns of one unit of the last digit, by the number of digits */
    if (length < 20)
        return false;
    const octet *zone = text + length - 1;
    int64_t ahead = 0;
    if (*zone != 'Z') {
        if (length < 25)
            return false;
        zone = text + length - 6;
        if (!read_zone(zone, &ahead))
            return false;
    }
    int64_t part = 0;
    if (zone != text + 19) {
        size_t count = (size_t)(zone - text - 20); /* zone is beyond 19 here, so 0 or more */
        if (text[19] != '.' || count < 1 || count > 9)
            return false;
        part = digits(text + 20, count);
        if (part < 0)
            return false;
        part *= scale[count];
    }
    int64_t second = digits(text + 17, 2);
    if (text[16] != ':' || second < 0 || second > 59) /* :60 is a leap second */
        return false;
    if (memcmp(text, last->text, TO_MINUTE) != 0 && !read_minute(text, last))
        return false;
    *ns = last->ns + (second - 60 * ahead) * SECOND + part;
    return true;
}
