/*
 * model.c - see model.h.
 */
#include "model.h"

#include "adam.h"
#include "data/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_ranker(train_model *m)
{
    for (int i = 0; i < TRAIN_RANKER_TENSORS; i++) {
        const train_ranker_tensor *from = &train_ranker_tensors[i];
        train_tensor *t = &m->tensor[m->n++];

        snprintf(t->name, sizeof t->name, "%s", from->name);
        t->shape[0] = from->rows;
        t->shape[1] = from->columns;
        t->dims = from->columns ? 2 : 1;
        t->value = m->ranker.value + from->at;
        t->gradient = m->ranker.gradient + from->at;
    }
}

static void add_net(train_model *m)
{
    lpips_tensor_spec spec;

    while (lpips_net_tensor(m->net, m->n, &spec) == LPIPS_OK) {
        train_tensor *t = &m->tensor[m->n];

        memcpy(t->name, spec.name, sizeof t->name);
        memcpy(t->shape, spec.shape, sizeof t->shape);
        t->dims = spec.dims;
        t->value = lpips_train_tensor(m->core, m->n);
        t->gradient = lpips_train_gradient(m->core, m->n);
        t->lin = !strncmp(spec.name, "lin", 3);
        m->n++;
    }
    m->of_net = m->n;
}

int train_model_open(train_model *m, const lpips_weights *w, int size, int threads,
                     bool whole, uint64_t seed, char why[LEARN_WHY])
{
    size_t trained = 0;
    float *at;
    int status;

    *m = (train_model){.net = lpips_weights_net(w), .whole = whole};
    snprintf(m->version, sizeof m->version, "%s", lpips_weights_version(w));
    status = lpips_train_create(&m->core, w, size, size, threads, whole);
    if (status)
        return learn_fail(why, "training %s on %dx%d: %s", lpips_net_name(m->net), size, size,
                          lpips_strerror(status));
    train_ranker_start(&m->ranker, seed);
    add_net(m);
    add_ranker(m);
    for (int i = 0; i < m->n; i++) {
        m->tensor[i].n = learn_tensor_count(m->tensor[i].shape, m->tensor[i].dims);
        trained += m->tensor[i].gradient ? m->tensor[i].n : 0;
    }
    at = m->moments = calloc(2 * trained, sizeof *m->moments);
    if (!at)
        return learn_no_memory(why);
    for (int i = 0; i < m->n; i++)
        if (m->tensor[i].gradient) {
            m->tensor[i].m = at;
            m->tensor[i].v = at + m->tensor[i].n;
            at += 2 * m->tensor[i].n;
        }
    return 0;
}

void train_model_close(train_model *m)
{
    lpips_train_free(m->core);
    free(m->moments);
    *m = (train_model){0};
}

void train_model_equal_lin(train_model *m, float value)
{
    for (int i = 0; i < m->of_net; i++)
        for (size_t k = 0; m->tensor[i].lin && k < m->tensor[i].n; k++)
            m->tensor[i].value[k] = value;
}

void train_model_step(train_model *m, int64_t step, double rate)
{
    static const double beta1 = 0.5, beta2 = 0.999;
    const double power1 = pow(beta1, (double)(step - 1)),
                 power2 = pow(beta2, (double)(step - 1));

    for (int i = 0; i < m->n; i++) {
        train_tensor *t = &m->tensor[i];
        learn_adam adam = {t->n, rate, beta1, beta2, power1, power2, t->m, t->v};

        if (t->gradient)
            learn_adam_step(&adam, t->value, t->gradient);
        for (size_t k = 0; t->lin && k < t->n; k++)
            t->value[k] = t->value[k] > 0 ? t->value[k] : 0;
    }
    if (m->whole)
        train_model_changed(m);
}

void train_model_changed(train_model *m)
{
    lpips_train_changed(m->core);
}
