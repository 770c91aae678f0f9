/*
 * phase.h - phase congruency, the feature that FSIM is about.
 */
#ifndef LEARN_PHASE_H
#define LEARN_PHASE_H

#include "metrics/room.h"

/* Filters and transforms for planes of one size: keeps the ones that room has where they are
 * of that size.  NULL where memory is short. */
learn_phase *learn_phase_for(learn_metric_room *room, int width, int height);

/* How congruent the phases are at each sample of a plane, 0..1. */
void learn_phase_congruency(learn_phase *p, const double *plane, double *congruency);

void learn_phase_free(learn_phase *p);

#endif
