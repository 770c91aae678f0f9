/*
 * plot.c - see plot.h.
 *
 * Colours are those of the pages of lpips report, in both of its themes.
 */
#include "plot.h"

#include <math.h>

enum { WIDTH = 460, HEIGHT = 360, LEFT = 62, RIGHT = 18, TOP = 58, BOTTOM = 48, STEPS = 120 };

typedef struct axis {
    double low, high, step;
    double from, to; /* in the picture */
} axis;

static void escaped(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        default:
            putc((unsigned char)*text < ' ' ? ' ' : *text, f);
        }
}

/* Limits on steps of 1, 2 or 5 times a power of ten, about five of them. */
static axis axis_of(const double *values, size_t n, double from, double to)
{
    double low = values[0], high = values[0], power, step;

    for (size_t i = 1; i < n; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    if (!(high > low)) {
        low -= 0.5;
        high += 0.5;
    }
    power = pow(10, floor(log10((high - low) / 4)));
    step = (high - low) / 4 / power;
    step = power * (step <= 1 ? 1 : step <= 2 ? 2 : step <= 5 ? 5 : 10);
    return (axis){step * floor(low / step), step * ceil(high / step), step, from, to};
}

static double place(const axis *a, double value)
{
    return a->from + (a->to - a->from) * (value - a->low) / (a->high - a->low);
}

static int ticks(const axis *a)
{
    return (int)lround((a->high - a->low) / a->step);
}

static void axes(FILE *f, const axis *x, const axis *y, const char *y_name)
{
    for (int i = 0; i <= ticks(x); i++) {
        const double value = x->low + i * x->step, at = place(x, value);

        fprintf(f, "<path class='grid' d='M%.1f %.1fV%.1f'/>", at, y->from, y->to);
        fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='middle'>%.6g</text>\n", at,
                y->from + 17, fabs(value) < x->step / 2 ? 0 : value);
    }
    for (int i = 0; i <= ticks(y); i++) {
        const double value = y->low + i * y->step, at = place(y, value);

        fprintf(f, "<path class='grid' d='M%.1f %.1fH%.1f'/>", x->from, at, x->to);
        fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='end'>%.6g</text>\n", x->from - 7,
                at + 4, fabs(value) < y->step / 2 ? 0 : value);
    }
    fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='middle'>distance</text>\n",
            (x->from + x->to) / 2, y->from + 37);
    fprintf(f, "<text transform='translate(16 %.1f) rotate(-90)' text-anchor='middle'>",
            (y->from + y->to) / 2);
    escaped(f, y_name);
    fputs("</text>\n", f);
}

/* Only where there are distances, and cut off at the frame. */
static void curve(FILE *f, const learn_panel *p, const axis *x, const axis *y, size_t number)
{
    double low = p->x[0], high = p->x[0];

    for (size_t i = 1; i < p->n; i++) {
        low = fmin(low, p->x[i]);
        high = fmax(high, p->x[i]);
    }
    fprintf(f, "<path class='curve' clip-path='url(#p%zu)' d='", number);
    for (int i = 0; i <= STEPS; i++) {
        const double at = low + (high - low) * i / STEPS;

        fprintf(f, "%c%.1f %.1f", i ? 'L' : 'M', place(x, at),
                place(y, learn_curve_at(&p->curve, at)));
    }
    fputs("'/>\n", f);
}

static void panel(FILE *f, const learn_panel *p, size_t number, const char *y_name)
{
    const axis x = axis_of(p->x, p->n, LEFT, WIDTH - RIGHT);
    const axis y = axis_of(p->y, p->n, HEIGHT - BOTTOM, TOP);

    fprintf(f, "<g transform='translate(%d %d)'>\n", (int)(number % 2) * WIDTH,
            (int)(number / 2) * HEIGHT);
    fprintf(f,
            "<clipPath id='p%zu'><rect x='%d' y='%d' width='%d' height='%d'/></clipPath>\n",
            number, LEFT, TOP, WIDTH - RIGHT - LEFT, HEIGHT - BOTTOM - TOP);
    fprintf(f, "<text class='title' x='%d' y='24'>", LEFT);
    escaped(f, p->title);
    fprintf(f, "</text><text x='%d' y='43'>", LEFT);
    escaped(f, p->note);
    fputs("</text>\n", f);
    axes(f, &x, &y, y_name);
    fputs("<g class='points'>\n", f);
    for (size_t i = 0; i < p->n; i++)
        fprintf(f, "<circle cx='%.1f' cy='%.1f' r='2.5'/>\n", place(&x, p->x[i]),
                place(&y, p->y[i]));
    fputs("</g>\n", f);
    if (p->curve.fitted)
        curve(f, p, &x, &y, number);
    fputs("</g>\n", f);
}

void learn_plot(FILE *f, const learn_panel *panels, size_t n, const char *y_name)
{
    const int width = n > 1 ? 2 * WIDTH : WIDTH, height = (int)((n + 1) / 2) * HEIGHT;

    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' "
            "height='%d'>\n",
            width, height, width, height);
    fputs("<style>\n"
          "svg { --ground: #ffffff; --ink: #1b1f24; --soft: #59616b; --grid: #ebecee;"
          " --points: #0072b2; --curve: #d55e00; }\n"
          "@media (prefers-color-scheme: dark) { svg { --ground: #1b1f24; --ink: #e8eaed;"
          " --soft: #a3abb5; --grid: #333a42; --points: #56b4e9; --curve: #ff8b3d; } }\n"
          "text { font: 12px system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;"
          " fill: var(--soft); }\n"
          ".title { font-size: 15px; font-weight: 600; fill: var(--ink); }\n"
          ".grid { stroke: var(--grid); fill: none; }\n"
          ".points { fill: var(--points); fill-opacity: .45; }\n"
          ".curve { stroke: var(--curve); stroke-width: 2; fill: none; }\n"
          "</style>\n"
          "<rect width='100%' height='100%' fill='var(--ground)'/>\n",
          f);
    for (size_t i = 0; i < n; i++)
        panel(f, &panels[i], i, y_name);
    fputs("</svg>\n", f);
}
