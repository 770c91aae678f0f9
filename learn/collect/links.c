/*
 * links.c - see links.h.
 */
#include "links.h"

#include "compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static int secret(char hex[LINK_TOKEN + 1], char why[LEARN_WHY])
{
    unsigned char bytes[LINK_TOKEN / 2];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return learn_fail(why, "no random numbers from the system: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int add(sqlite3 *db, int number, char why[LEARN_WHY])
{
    char token[LINK_TOKEN + 1], session[COLLECT_SESSION + 1];
    int64_t id;

    _Static_assert((int)LINK_TOKEN == (int)COLLECT_SESSION, "one kind of secret");
    return secret(token, why) || secret(session, why) ||
                   collect_store_rater(db, number, session, token, &id, why)
               ? -1
               : 0;
}

static bool has_link(const collect_raters *r, int number)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->of[i].token && r->of[i].results.rater == number)
            return true;
    return false;
}

int collect_links_make(sqlite3 *db, const collect_study *s, int raters, char why[LEARN_WHY])
{
    collect_raters there;
    bool any = false;
    int status = collect_store_read(db, s, 0, &there, why);

    if (status)
        return -1;
    for (size_t i = 0; i < there.n; i++)
        any = any || there.of[i].token;
    if (!raters && !any)
        raters = s->raters * (int)s->n_blocks;
    status = collect_store_do(db, "BEGIN IMMEDIATE", why);
    for (int number = 1; number <= raters && !status; number++)
        if (!has_link(&there, number))
            status = add(db, number, why);
    if (!status)
        status = collect_store_do(db, "COMMIT", why);
    collect_raters_free(&there);
    return status;
}

bool collect_link_is(const char *token, const char *text)
{
    unsigned char differs = 0;

    for (size_t i = 0; i < LINK_TOKEN; i++)
        differs |= (unsigned char)(token[i] ^ text[i]);
    return !differs;
}

void collect_links_print(const collect_serving *asked, const collect_raters *r, uint16_t port)
{
    const bool six = strchr(asked->address, ':') != NULL;

    for (size_t i = 0; i < r->n; i++) {
        if (!r->of[i].token)
            continue;
        printf("%d\t", r->of[i].results.rater);
        if (asked->url)
            printf("%s/%s/\n", asked->url, r->of[i].token);
        else
            printf("http://%s%s%s:%u/%s/\n", six ? "[" : "", asked->address, six ? "]" : "",
                   port, r->of[i].token);
    }
    fflush(stdout);
    fprintf(stderr,
            "One link for each rater; `lpips-learn collect status %s` tells how far they "
            "are. Ctrl-C ends, the same command goes on.\n",
            cli_plain(asked->dir));
}
