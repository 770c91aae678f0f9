/*
 * progress.c - a bar with the time left on a terminal, lines elsewhere, on standard error.
 */
#include "progress.h"

#include "compare.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

double report_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void report_progress_begin(report_progress *p, size_t total, bool quiet)
{
    memset(p, 0, sizeof *p);
    p->quiet = quiet;
    p->terminal = isatty(STDERR_FILENO);
    p->total = total;
    p->begun = report_seconds();
}

static void time_left(const report_progress *p, double fraction, char text[32])
{
    const double past = report_seconds() - p->begun;
    const double left = fraction > 0 ? past / fraction - past : 0;
    const long s = (long)(left + 0.5);

    if (fraction <= 0 || past < 1 || left > 1e7)
        snprintf(text, 32, "--:--");
    else if (s >= 3600)
        snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 32, "%02ld:%02ld", s / 60, s % 60);
}

static int columns(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) || w.ws_col < 20 ? 80 : w.ws_col;
}

static void wipe(report_progress *p)
{
    if (p->bar)
        fprintf(stderr, "\r\x1b[K");
    p->bar = false;
}

static void draw_bar(report_progress *p, double fraction, const char *left)
{
    char head[96];
    const int n = snprintf(head, sizeof head, "%zu/%zu  %3d %%  %s left%s", p->done, p->total,
                           (int)(100 * fraction), left, p->failed ? "  " : "");
    const int room = columns() - n - 20;
    const int width = room > 40 ? 40 : room;

    wipe(p);
    if (width >= 8) {
        putc('[', stderr);
        for (int i = 0; i < width; i++)
            putc(i < (int)(fraction * width) ? '#' : '.', stderr);
        fputs("] ", stderr);
    }
    fputs(head, stderr);
    if (p->failed)
        fprintf(stderr, "%zu failed", p->failed);
    fflush(stderr);
    p->bar = true;
}

void report_progress_show(report_progress *p, double part, const char *name)
{
    const double now = report_seconds(),
                 fraction = ((double)p->done + part) / (double)p->total;
    char left[32];

    if (p->quiet || !p->total || now - p->drawn < (p->terminal ? 0.2 : 1))
        return;
    time_left(p, fraction, left);
    if (p->terminal) {
        draw_bar(p, fraction, left);
    } else {
        /* A long item is no reason for many lines. */
        if (p->said == p->done && now - p->drawn < 60)
            return;
        fprintf(stderr, "%zu of %zu items, %d %%, %s left", p->done, p->total,
                (int)(100 * fraction), left);
        fprintf(stderr, "%s%s\n", name ? ": " : "", name ? cli_plain(name) : "");
        p->said = p->done;
    }
    p->drawn = now;
}

void report_progress_say(report_progress *p, const char *text)
{
    wipe(p);
    fprintf(stderr, "%s\n", cli_plain(text));
}

void report_progress_end(report_progress *p, const char *done)
{
    wipe(p);
    if (p->quiet || !done)
        return;
    fprintf(stderr, "%zu of %zu items %s", p->done - p->failed, p->total, done);
    if (p->failed)
        fprintf(stderr, ", %zu failed: the report says why", p->failed);
    putc('\n', stderr);
}
