// SPDX-License-Identifier: GPL-3.0-or-later
//
// The curve as a drawing: delay as a line, and below it lost work by cause as stacked bars, over
// the same time.
#include <inttypes.h>
#include <stdio.h>

#include "results/crash_curve.h"
#include "results/drawing.h"

#define LEFT 74.0
#define RIGHT 18.0
#define PLOT 190.0 // height of one of the two
#define OTHER 7u   // causes beyond this many are one
#define POINTS_MAX 1000u
#define MARKERS_MAX 80u // points that are marked; more are a line alone
#define UNFINISHED 5u   // the series of crashes after which the job does not finish
#define UNFINISHED_WIDTH 170.0

struct picture {
    const struct results_crash_curve *curve;
    struct drawing drawing;
    struct results_scale x, delay, lost;
    uint32_t causes[MODEL_CAUSE_COUNT];
    uint32_t n_causes;
    double top[2], bottom[2];
};

static int64_t value_of(const struct results_record *record, enum results_many_metric metric)
{
    int64_t value = 0;

    (void)results_many_of(record, metric, &value);
    return value;
}

static void scale(const struct picture *p, struct results_scale *y, enum results_many_metric metric)
{
    double most = 0;
    double least = 0;

    for (uint32_t i = 0; i < p->curve->n; i++) {
        if (metric == RESULTS_MANY_DELAY ? results_crash_curve_finishes(p->curve, i)
                                         : p->curve->records[i] != NULL) {
            double value = (double)value_of(p->curve->records[i], metric);

            most = value > most ? value : most;
            least = value < least ? value : least;
        }
    }
    results_scale_init(y, RESULTS_QUANTITY_DURATION, least, most, false, 5);
}

static void draw_legend(struct picture *p)
{
    struct drawing_legend legend;
    char class[DRAWING_CLASS_SIZE];

    drawing_legend_begin(&legend, 0, p->bottom[0] + 62);
    for (uint32_t i = 0; i < p->n_causes && i <= OTHER; i++) {
        drawing_legend_add(&p->drawing, &legend, 0, drawing_class(class, i, "bar"),
                           i == OTHER && p->n_causes > OTHER + 1
                               ? "other causes"
                               : model_cause_name((enum model_cause)p->causes[i]));
    }
}

static void draw_delay(struct picture *p)
{
    double x[POINTS_MAX] = {0};
    double y[POINTS_MAX] = {0};
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->curve->n && n < POINTS_MAX; i++) {
        if (results_crash_curve_finishes(p->curve, i)) {
            int64_t delay = value_of(p->curve->records[i], RESULTS_MANY_DELAY);

            x[n] = results_scale_place(&p->x, (double)p->curve->at_ns[i]);
            y[n] = results_scale_place(&p->delay, (double)delay);
            n++;
        }
    }
    if (n > 0) {
        drawing_path(&p->drawing, "s0 line", x, y, n);
    }
    for (uint32_t i = 0; i < n && n <= MARKERS_MAX; i++) {
        drawing_marker(&p->drawing, 0, "s0 mark", x[i], y[i], 5, NULL);
    }
}

// Crashes after which there is no delay, since the job never ends well.
static void draw_unfinished(struct picture *p)
{
    struct drawing_legend legend;
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->curve->n; i++) {
        double x = results_scale_place(&p->x, (double)p->curve->at_ns[i]);

        if (p->curve->records[i] != NULL && !results_crash_curve_finishes(p->curve, i)) {
            drawing_line(&p->drawing, "wait", x, p->top[0], x, p->bottom[0]);
            drawing_marker(
                &p->drawing, UNFINISHED, "s5 mark", x, p->top[0] + 6, 9,
                model_job_state_name((enum model_job_state)p->curve->records[i]->facts.state));
            n++;
        }
    }
    if (n > 0) {
        drawing_legend_begin(&legend, DRAWING_WIDE - RIGHT - UNFINISHED_WIDTH, 32);
        drawing_legend_add(&p->drawing, &legend, UNFINISHED, NULL, "the job does not finish");
    }
}

static void draw_crash(struct picture *p, uint32_t i, double width)
{
    const struct results_record *record = p->curve->records[i];
    double middle = results_scale_place(&p->x, (double)p->curve->at_ns[i]);
    double from = 0;

    for (uint32_t c = 0; c < p->n_causes; c++) {
        char class[DRAWING_CLASS_SIZE];
        char at[RESULTS_UNITS_SIZE];
        char amount[RESULTS_UNITS_SIZE];
        char title[160];
        uint64_t attempts;
        int64_t ns = results_many_lost(record, p->causes[c], &attempts);
        double low = results_scale_place(&p->lost, from);
        double high = results_scale_place(&p->lost, from + (double)ns);

        if (ns == 0) {
            continue;
        }
        (void)snprintf(
            title, sizeof(title), "crash at %s: %s %s", results_duration(at, p->curve->at_ns[i]),
            model_cause_name((enum model_cause)p->causes[c]), results_duration(amount, ns));
        drawing_box(&p->drawing, drawing_class(class, c < OTHER ? c : OTHER, "bar"),
                    middle - width / 2, high, width, low - high, title);
        from += (double)ns;
    }
}

static void draw_lost(struct picture *p)
{
    double room = (p->drawing.width - LEFT - RIGHT) / (p->curve->n > 0 ? p->curve->n : 1);

    for (uint32_t i = 0; i < p->curve->n; i++) {
        if (p->curve->records[i] != NULL) {
            draw_crash(p, i, room * 0.86);
        }
    }
}

void results_crash_curve_svg(const struct results_crash_curve *curve, struct results_text *text)
{
    struct picture p = {.curve = curve, .drawing = {text, DRAWING_WIDE, true}};
    const char *words[OTHER + 1];
    struct results_text label;
    double legend;

    results_text_init(&label);
    p.n_causes = results_crash_curve_causes(curve, p.causes);
    for (uint32_t i = 0; i < p.n_causes && i <= OTHER; i++) {
        words[i] = model_cause_name((enum model_cause)p.causes[i]);
    }
    legend =
        drawing_legend_height(DRAWING_WIDE, words, p.n_causes < OTHER + 1 ? p.n_causes : OTHER + 1);
    p.top[0] = 40;
    p.bottom[0] = p.top[0] + PLOT;
    p.top[1] = p.bottom[0] + 56 + legend + 14;
    p.bottom[1] = p.top[1] + PLOT;
    results_scale_init(&p.x, RESULTS_QUANTITY_DURATION, 0, (double)curve->faultless_ns, false, 8);
    results_scale_span(&p.x, LEFT, DRAWING_WIDE - RIGHT);
    scale(&p, &p.delay, RESULTS_MANY_DELAY);
    scale(&p, &p.lost, RESULTS_MANY_LOST_WORK);
    results_scale_span(&p.delay, p.bottom[0], p.top[0]);
    results_scale_span(&p.lost, p.bottom[1], p.top[1]);
    results_text_format(&label,
                        "Delay and lost work by cause against the moment of the master's death in "
                        "%s (%s), %" PRIu32 " crashes",
                        curve->scenario->name,
                        results_profile_name(curve->scenario->config.profile), curve->n);
    drawing_begin(&p.drawing, p.bottom[1] + 48, results_text_string(&label));
    results_text_clear(&label);
    results_text_format(&label, "%s (%s): one death of the master, by its moment",
                        curve->scenario->name,
                        results_profile_name(curve->scenario->config.profile));
    drawing_text_cut(&p.drawing, "title", 0, 16, DRAWING_START, results_text_string(&label), 100);
    drawing_axis_x(&p.drawing, &p.x, p.top[0], p.bottom[0], "");
    drawing_axis_y(&p.drawing, &p.delay, LEFT, DRAWING_WIDE - RIGHT, "delay");
    draw_delay(&p);
    draw_unfinished(&p);
    draw_legend(&p);
    drawing_axis_x(&p.drawing, &p.x, p.top[1], p.bottom[1], "moment of the master's death");
    drawing_axis_y(&p.drawing, &p.lost, LEFT, DRAWING_WIDE - RIGHT, "lost work (slot time)");
    draw_lost(&p);
    drawing_end(&p.drawing);
    text->failed = text->failed || label.failed;
    results_text_release(&label);
}
