// SPDX-License-Identifier: GPL-3.0-or-later
//
// Presets (where the cluster runs) and connectors (what a source can do).
#include <string.h>

#include "scenarios/loader.h"

#define ASSUMED "assumption"
#define SAMPLES "Flink's History Server samples: 239 and 264 ms from deploying to running"
#define START "assumption: process start and job graph load take 5 to 15 s"
#define POD "Kubernetes SLO: a pod starts within 5 s (p99), image present"
#define LAW_START "{uniform: {from: 5 s, to: 15 s}}"
#define DEFINED "what the preset means"

static const struct scenario_preset_row rows[] = {
    {"kubernetes", "cluster.deploy", "250 ms", SAMPLES, true},
    {"kubernetes", "cluster.restart", LAW_START, "assumption: pod start and process start", true},
    {"kubernetes", "master.start", LAW_START, START, true},
    {"kubernetes", "master.standby", "false", DEFINED, false},
    {"kubernetes", "master.restart", "5 s", POD, true},
    {"kubernetes", "network.latency", "500 us", ASSUMED, true},
    {"kubernetes", "ha", "kubernetes", DEFINED, false},
    {"kubernetes", "storage", "s3", DEFINED, true},

    {"kubernetes-standby", "cluster.deploy", "250 ms", SAMPLES, true},
    {"kubernetes-standby", "cluster.restart", LAW_START, "assumption: pod start and process start",
     true},
    {"kubernetes-standby", "master.start", LAW_START, START, true},
    {"kubernetes-standby", "master.standby", "true", DEFINED, false},
    {"kubernetes-standby", "master.restart", "5 s", POD, true},
    {"kubernetes-standby", "network.latency", "500 us", ASSUMED, true},
    {"kubernetes-standby", "ha", "kubernetes", DEFINED, false},
    {"kubernetes-standby", "storage", "s3", DEFINED, true},

    {"yarn-zookeeper", "cluster.deploy", "250 ms", SAMPLES, true},
    {"yarn-zookeeper", "cluster.restart", "{uniform: {from: 10 s, to: 30 s}}",
     "assumption: a new YARN container and process start", true},
    {"yarn-zookeeper", "master.start", LAW_START, START, true},
    {"yarn-zookeeper", "master.standby", "false", DEFINED, false},
    {"yarn-zookeeper", "master.restart", "15 s",
     "assumption: YARN starts a new application attempt", true},
    {"yarn-zookeeper", "network.latency", "500 us", ASSUMED, true},
    {"yarn-zookeeper", "ha", "zookeeper", DEFINED, false},
    {"yarn-zookeeper", "storage", "hdfs", DEFINED, true},

    {"standalone-zookeeper", "cluster.deploy", "250 ms", SAMPLES, true},
    {"standalone-zookeeper", "cluster.restart", "never",
     "assumption: nothing restarts a standalone worker", true},
    {"standalone-zookeeper", "master.start", LAW_START, START, true},
    {"standalone-zookeeper", "master.standby", "true", DEFINED, false},
    {"standalone-zookeeper", "master.restart", "never",
     "assumption: nothing restarts a standalone master", true},
    {"standalone-zookeeper", "network.latency", "500 us", ASSUMED, true},
    {"standalone-zookeeper", "ha", "zookeeper", DEFINED, false},
    {"standalone-zookeeper", "storage", "nfs", "assumption: a mounted directory", true},
};

uint32_t scenario_preset_rows_count(void)
{
    return (uint32_t)(sizeof(rows) / sizeof(rows[0]));
}

const struct scenario_preset_row *scenario_preset_rows_at(uint32_t index)
{
    return &rows[index];
}

struct scenario_node *scenario_preset_node(struct scenario_loader *loader, const char *path)
{
    for (uint32_t i = 0; i < scenario_preset_rows_count(); i++) {
        const struct scenario_preset_row *row = &rows[i];
        if (strcmp(row->path, path) == 0 && strcmp(row->preset, loader->preset) == 0) {
            struct scenario_note *note = scenario_allocate(&loader->memory, sizeof(*note));
            note->detail = scenario_print(&loader->memory, "preset %s", row->preset);
            note->source = row->source;
            note->assumed = row->assumed;
            return scenario_node_default(loader, row->text, SCENARIO_PRESET, note);
        }
    }
    return NULL;
}

// Whether the enumerator of a FLIP-27 source implements SupportsBatchSnapshot.
static const struct scenario_connector connectors[] = {
    {"number-sequence", true, "Flink 1.20 IteratorSourceEnumerator"},
    {"datagen", true, "Flink 1.20 IteratorSourceEnumerator"},
    {"filesystem", false, "Flink 1.20 JMFailoverITCase treats FileSource as unsupported"},
    {"hive", false, "assumption: built on FileSource"},
    {"kafka", false, "assumption: its enumerator does not name the interface"},
};

uint32_t scenario_connectors_count(void)
{
    return (uint32_t)(sizeof(connectors) / sizeof(connectors[0]));
}

const struct scenario_connector *scenario_connectors_at(uint32_t index)
{
    return &connectors[index];
}

const struct scenario_connector *scenario_connectors_find(const char *name)
{
    for (uint32_t i = 0; i < scenario_connectors_count(); i++) {
        if (strcmp(connectors[i].name, name) == 0) {
            return &connectors[i];
        }
    }
    return NULL;
}
