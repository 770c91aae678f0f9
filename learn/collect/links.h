/*
 * links.h - the secret links that raters come in by.
 */
#ifndef COLLECT_LINKS_H
#define COLLECT_LINKS_H

#include "collect.h"
#include "store.h"

enum { LINK_TOKEN = 32 }; /* hexadecimal digits: 128 bits of getrandom() */

/* Links for the numbers 1 to `raters` that have none yet; 0: as many as the study wants,
 * where there is no link at all. */
int collect_links_make(sqlite3 *db, const collect_study *s, int raters, char why[LEARN_WHY]);

/* Whether `text` begins with the token, in a time that depends on nothing. */
bool collect_link_is(const char *token, const char *text);

/* All links to standard output: "rater", tab, address. */
void collect_links_print(const collect_serving *asked, const collect_raters *r,
                         uint16_t port);

#endif
