// SPDX-License-Identifier: GPL-3.0-or-later
//
// Latencies are those of one request; what a transfer takes follows from the bandwidth. Where a
// public figure exists, the source names it; the rest are assumptions, which results list as such.
#include "scenarios/storage_profiles.h"

#include "sim/law.h"

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define SIGMA(hundredths) ((hundredths) * (SIM_LAW_NANO / 100))
#define MIB (UINT64_C(1) << 20)

#define CONSTANT(value) {.kind = SIM_LAW_CONSTANT, .a = (value)}
#define LOGNORMAL(median, sigma) {.kind = SIM_LAW_LOGNORMAL, .a = (median), .b = SIGMA(sigma)}

#define ASSUMED "assumption"
#define HBASE "fit to HBase write-ahead-log syncs of 3,096 servers over 24 h (an operator's note)"
#define S3_PUT                                                                                     \
    "S3 Standard PUT, 2025: p50 69.8 ms at 500 KiB, p99 137.2 ms (secondary report, coarse)"
#define S3_GET "S3 Standard GET 4 KiB, December 2025: p50 26.8 ms, p99 113.4 ms (secondary report)"
#define EBS "EBS log append of 64 KB: mean 0.87 ms, p99 2.0 ms (elastic-stream benchmark)"
#define EFS "EFS: reads from 0.6 ms, writes low single-digit ms (AWS documentation)"
#define IDEAL "by definition"

// One hflush in 10,000 is a slow sync.
static const struct sim_law hdfs_flush_parts[2] = {LOGNORMAL(1 * MS, 53), LOGNORMAL(155 * MS, 60)};
static const int64_t hdfs_flush_weights[2] = {999900000, 100000};

static const struct scenario_storage_profile
    profiles[MODEL_STORAGE_KINDS] =
        {
            [MODEL_STORAGE_IDEAL] =
                {
                    .name = "ideal",
                    .about = "Costs no time and loses nothing that was flushed.",
                    .storage = {.kind = MODEL_STORAGE_IDEAL, .durable_at = RECOUP_DURABLE_AT_FLUSH},
                    .source = {IDEAL, IDEAL, IDEAL, IDEAL, IDEAL, IDEAL, IDEAL, IDEAL, IDEAL},
                    .bandwidth_source = IDEAL,
                    .price_source = IDEAL,
                },
            [MODEL_STORAGE_HDFS] =
                {
                    .name = "hdfs",
                    .about = "A flush is an hflush: it survives the writer and its host.",
                    .storage =
                        {
                            .kind = MODEL_STORAGE_HDFS,
                            .durable_at = RECOUP_DURABLE_AT_FLUSH,
                            .latency =
                                {
                                    [MODEL_STORAGE_MKDIR] = LOGNORMAL(2 * MS, 50),
                                    [MODEL_STORAGE_LIST] = LOGNORMAL(2 * MS, 50),
                                    [MODEL_STORAGE_CREATE] = LOGNORMAL(4 * MS, 50),
                                    [MODEL_STORAGE_APPEND] = CONSTANT(0),
                                    [MODEL_STORAGE_FLUSH] = {.kind = SIM_LAW_MIXTURE,
                                                             .count = 2,
                                                             .parts = hdfs_flush_parts,
                                                             .weights_nano = hdfs_flush_weights},
                                    [MODEL_STORAGE_SYNC] = LOGNORMAL(10 * MS, 60),
                                    [MODEL_STORAGE_CLOSE] = LOGNORMAL(4 * MS, 50),
                                    [MODEL_STORAGE_READ] = LOGNORMAL(2 * MS, 50),
                                    [MODEL_STORAGE_REMOVE] = LOGNORMAL(2 * MS, 50),
                                },
                            .bandwidth = 100 * MIB,
                        },
                    .source = {ASSUMED, ASSUMED, ASSUMED, "the client buffers; a flush pays", HBASE,
                               ASSUMED, ASSUMED, ASSUMED, ASSUMED},
                    .bandwidth_source = ASSUMED,
                    .price_source = "own cluster",
                },
            [MODEL_STORAGE_S3] =
                {
                    .name = "s3",
                    .about = "Nothing exists before close, which puts the object.",
                    .storage =
                        {
                            .kind = MODEL_STORAGE_S3,
                            .durable_at = RECOUP_DURABLE_AT_CLOSE,
                            .latency =
                                {
                                    [MODEL_STORAGE_MKDIR] = LOGNORMAL(60 * MS, 29),
                                    [MODEL_STORAGE_LIST] = LOGNORMAL(27 * MS, 62),
                                    [MODEL_STORAGE_CREATE] = LOGNORMAL(27 * MS, 62),
                                    [MODEL_STORAGE_APPEND] = CONSTANT(0),
                                    [MODEL_STORAGE_FLUSH] = CONSTANT(0),
                                    [MODEL_STORAGE_SYNC] = CONSTANT(0),
                                    [MODEL_STORAGE_CLOSE] = LOGNORMAL(60 * MS, 29),
                                    [MODEL_STORAGE_READ] = LOGNORMAL(27 * MS, 62),
                                    [MODEL_STORAGE_REMOVE] = LOGNORMAL(60 * MS, 29),
                                },
                            .bandwidth = 50 * MIB, // 20 ms a MiB
                            .price_nanousd =
                                {
                                    [MODEL_STORAGE_MKDIR] = 5000,
                                    [MODEL_STORAGE_LIST] = 5000,
                                    [MODEL_STORAGE_CREATE] = 400,
                                    [MODEL_STORAGE_CLOSE] = 5000,
                                    [MODEL_STORAGE_READ] = 400,
                                },
                        },
                    .source = {"assumption: as a PUT", "assumption: as a GET",
                               "assumption: a probe, as a GET", "S3A saves no data before close",
                               "S3A saves no data before close", "S3A saves no data before close",
                               S3_PUT, S3_GET, "assumption: as a PUT"},
                    .bandwidth_source = "20 ms per MiB: S3 Standard PUT (secondary report, coarse)",
                    .price_source =
                        "S3 Standard: PUT and LIST $0.005, GET $0.0004 per 1,000; DELETE free",
                },
            [MODEL_STORAGE_GCS] =
                {
                    .name = "gcs",
                    .about = "Nothing exists before close, which puts the object.",
                    .storage =
                        {
                            .kind = MODEL_STORAGE_GCS,
                            .durable_at = RECOUP_DURABLE_AT_CLOSE,
                            .latency =
                                {
                                    [MODEL_STORAGE_MKDIR] = LOGNORMAL(200 * MS, 30),
                                    [MODEL_STORAGE_LIST] = LOGNORMAL(50 * MS, 60),
                                    [MODEL_STORAGE_CREATE] = LOGNORMAL(50 * MS, 60),
                                    [MODEL_STORAGE_APPEND] = CONSTANT(0),
                                    [MODEL_STORAGE_FLUSH] = CONSTANT(0),
                                    [MODEL_STORAGE_SYNC] = CONSTANT(0),
                                    [MODEL_STORAGE_CLOSE] = LOGNORMAL(200 * MS, 30),
                                    [MODEL_STORAGE_READ] = LOGNORMAL(50 * MS, 60),
                                    [MODEL_STORAGE_REMOVE] = LOGNORMAL(200 * MS, 30),
                                },
                            .bandwidth = 61680941, // 17 ms a MiB
                            .price_nanousd =
                                {
                                    [MODEL_STORAGE_MKDIR] = 5000,
                                    [MODEL_STORAGE_LIST] = 5000,
                                    [MODEL_STORAGE_CREATE] = 400,
                                    [MODEL_STORAGE_CLOSE] = 5000,
                                    [MODEL_STORAGE_READ] = 400,
                                },
                        },
                    .source = {"assumption: as a put", ASSUMED, ASSUMED, "no data before close",
                               "no data before close", "no data before close",
                               "GCS put, secondary report, coarse", ASSUMED,
                               "assumption: as a put"},
                    .bandwidth_source = "17 ms per MiB: GCS put (secondary report, coarse)",
                    .price_source =
                        "GCS: class A $0.005, class B $0.0004 per 1,000 (Google's pricing example)",
                },
            [MODEL_STORAGE_POSIX] =
                {
                    .name = "posix",
                    .about = "A local disk: a flush reaches the page cache, which survives the "
                             "process but not the host.",
                    .storage =
                        {
                            .kind = MODEL_STORAGE_POSIX,
                            .durable_at = RECOUP_DURABLE_AT_SYNC,
                            .latency =
                                {
                                    [MODEL_STORAGE_MKDIR] = CONSTANT(50 * US),
                                    [MODEL_STORAGE_LIST] = CONSTANT(50 * US),
                                    [MODEL_STORAGE_CREATE] = CONSTANT(50 * US),
                                    [MODEL_STORAGE_APPEND] = CONSTANT(20 * US),
                                    [MODEL_STORAGE_FLUSH] = CONSTANT(20 * US),
                                    [MODEL_STORAGE_SYNC] = LOGNORMAL(800 * US, 39),
                                    [MODEL_STORAGE_CLOSE] = CONSTANT(20 * US),
                                    [MODEL_STORAGE_READ] = LOGNORMAL(200 * US, 50),
                                    [MODEL_STORAGE_REMOVE] = CONSTANT(50 * US),
                                },
                            .bandwidth = 250 * MIB,
                        },
                    .source = {ASSUMED, ASSUMED, ASSUMED, ASSUMED, ASSUMED, EBS, ASSUMED, ASSUMED,
                               ASSUMED},
                    .bandwidth_source = ASSUMED,
                    .price_source = "own disk",
                },
            [MODEL_STORAGE_NFS] =
                {
                    .name = "nfs",
                    .about = "A mounted server: close-to-open caching, durable on the server after "
                             "a sync.",
                    .storage =
                        {
                            .kind = MODEL_STORAGE_NFS,
                            .durable_at = RECOUP_DURABLE_AT_SYNC,
                            .latency =
                                {
                                    [MODEL_STORAGE_MKDIR] = LOGNORMAL(3 * MS, 50),
                                    [MODEL_STORAGE_LIST] = LOGNORMAL(1 * MS, 50),
                                    [MODEL_STORAGE_CREATE] = LOGNORMAL(3 * MS, 50),
                                    [MODEL_STORAGE_APPEND] = CONSTANT(20 * US),
                                    [MODEL_STORAGE_FLUSH] = LOGNORMAL(3 * MS, 50),
                                    [MODEL_STORAGE_SYNC] = LOGNORMAL(3 * MS, 50),
                                    [MODEL_STORAGE_CLOSE] = LOGNORMAL(3 * MS, 50),
                                    [MODEL_STORAGE_READ] = LOGNORMAL(600 * US, 50),
                                    [MODEL_STORAGE_REMOVE] = LOGNORMAL(3 * MS, 50),
                                },
                            .bandwidth = 100 * MIB,
                        },
                    .source = {"assumption: as a write", ASSUMED, "assumption: as a write", ASSUMED,
                               EFS, EFS, "assumption: as a write", EFS, "assumption: as a write"},
                    .bandwidth_source = ASSUMED,
                    .price_source = "requests are not charged",
                },
};

const struct scenario_storage_profile *scenario_storage_profile(enum model_storage_kind kind)
{
    return &profiles[kind];
}
