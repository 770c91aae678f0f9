/*
 * curves.c - loss and score as a table and as a picture.
 */
#include "train.h"

#include "output.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 640, HEIGHT = 240, LEFT = 64, RIGHT = 20, TOP = 34, BOTTOM = 40, BINS = 200 };

int train_write_log(const train_run *r, char why[LEARN_WHY])
{
    const int64_t epochs = train_epoch(r);
    report_file file;

    if (report_file_open(&file, r->o->out, "log.csv", why))
        return -1;
    fputs("epoch,steps,rate,loss,score\n", file.f);
    for (int64_t e = 0; e <= epochs; e++) {
        double loss = 0;

        for (int64_t i = (e - 1) * r->per_epoch; e && i < e * r->per_epoch; i++)
            loss += (double)r->loss[i] / (double)r->per_epoch;
        fprintf(file.f, "%lld,%lld,", (long long)e, (long long)(e * r->per_epoch));
        if (e)
            fprintf(file.f, "%.9g,%.6g", train_rate(r->o, e - 1), loss);
        else
            fputc(',', file.f);
        fputc(',', file.f);
        if (r->held_out.n)
            fprintf(file.f, "%.6g", (double)r->score[e]);
        fputc('\n', file.f);
    }
    return report_file_close(&file, 0, why);
}

/* ---- the picture -------------------------------------------------------------------------
 */

/* One panel of the picture: x in epochs. */
typedef struct panel {
    FILE *f;
    int top;       /* of it, in the picture */
    double epochs; /* at the right edge */
    double low, high;
} panel;

static double at_x(const panel *p, double epoch)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * epoch / p->epochs;
}

static double at_y(const panel *p, double v)
{
    return p->top + TOP + (HEIGHT - TOP - BOTTOM) * (p->high - v) / (p->high - p->low);
}

/* 1, 2 or 5 times a power of ten, so that some five lie in a span. */
static double tick_step(double span)
{
    const double rough = span / 5, power = pow(10, floor(log10(rough)));

    return rough > 5 * power   ? 10 * power
           : rough > 2 * power ? 5 * power
           : rough > power     ? 2 * power
                               : power;
}

static void widen(panel *p, double v)
{
    p->low = fmin(p->low, v);
    p->high = fmax(p->high, v);
}

static void draw_axes(panel *p, const char *title)
{
    /* labels of four digits must differ */
    const double span = fmax(p->high - p->low, .02 * fabs(p->high) + 1e-3);
    const double step = tick_step(span), along = tick_step(p->epochs);

    p->high = ceil((p->low + span) / step) * step;
    p->low = floor(p->low / step) * step;
    fprintf(p->f, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", LEFT, p->top + 20,
            title);
    for (double v = p->low; v <= p->high + step / 2; v += step)
        fprintf(p->f,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n",
                LEFT, at_y(p, v), WIDTH - RIGHT, LEFT - 8, at_y(p, v) + 4,
                fabs(v) < step / 2 ? 0 : v);
    for (double x = 0; x <= p->epochs * 1.0001; x += along < 1 ? 1 : along)
        fprintf(p->f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>\n",
                at_x(p, x), p->top + HEIGHT - BOTTOM + 18, x);
    fprintf(p->f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text>\n",
            (LEFT + WIDTH - RIGHT) / 2, p->top + HEIGHT - BOTTOM + 34);
}

/* Means of the loss over stretches of steps: that of one step is mostly noise. */
static int bins(const train_run *r, double x[BINS], double y[BINS])
{
    const int n = r->step < BINS ? (int)r->step : BINS;

    for (int b = 0; b < n; b++) {
        const int64_t from = r->step * b / n, to = r->step * (b + 1) / n;

        y[b] = 0;
        for (int64_t i = from; i < to; i++)
            y[b] += (double)r->loss[i] / (double)(to - from);
        x[b] = (double)(from + to) / 2 / (double)r->per_epoch;
    }
    return n;
}

static void draw_line(const panel *p, const double *x, const double *y, int n, bool dots)
{
    fputs("<path class=\"line\" d=\"", p->f);
    for (int i = 0; i < n; i++)
        fprintf(p->f, "%c%.1f %.1f", i ? 'L' : 'M', at_x(p, x[i]), at_y(p, y[i]));
    fputs("\"/>\n", p->f);
    for (int i = 0; i < n && dots; i++)
        fprintf(p->f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", at_x(p, x[i]),
                at_y(p, y[i]));
}

static void draw_panel(panel *p, const char *title, const double *x, const double *y, int n,
                       bool dots)
{
    p->low = INFINITY;
    p->high = -INFINITY;
    for (int i = 0; i < n; i++)
        widen(p, y[i]);
    draw_axes(p, title);
    draw_line(p, x, y, n, dots);
}

int train_write_curves(const train_run *r, char why[LEARN_WHY])
{
    const int panels = r->held_out.n ? 2 : 1, epochs = (int)train_epoch(r);
    double x[BINS], y[BINS];
    report_file file;
    panel p = {.epochs = r->o->epochs + r->o->decay};

    if (report_file_open(&file, r->o->out, "curves.svg", why))
        return -1;
    p.f = file.f;
    fprintf(p.f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<style>rect{fill:#fff}text{fill:#444}.title{fill:#000;font-weight:bold}"
            ".grid{stroke:#ddd}.line{fill:none;stroke:#06c;stroke-width:1.5}"
            "circle{fill:#06c}</style>\n<rect width=\"%d\" height=\"%d\"/>\n",
            WIDTH, panels * HEIGHT, WIDTH, panels * HEIGHT, WIDTH, panels * HEIGHT);
    draw_panel(&p, "Loss (cross-entropy of the ranker)", x, y, bins(r, x, y), false);
    if (r->held_out.n) {
        const int n = epochs + 1 < BINS ? epochs + 1 : BINS, from = epochs + 1 - n;

        for (int i = 0; i < n; i++) {
            x[i] = from + i;
            y[i] = 100 * (double)r->score[from + i];
        }
        p.top = HEIGHT;
        draw_panel(&p, "Agreement with what is held out, %", x, y, n, true);
    }
    fputs("</svg>\n", p.f);
    return report_file_close(&file, 0, why);
}
