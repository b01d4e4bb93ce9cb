#pragma once

#include "cmd/options.hpp"

namespace keel::cmd {

int run_version(const Options& options);
int run_completion(const Options& options);
int run_init(const Options& options);
int run_import(const Options& options);
int run_daemon(const Options& options);
int run_db_check(const Options& options);
int run_db_checksum(const Options& options);
int run_db_compact(const Options& options);
int run_db_convert(const Options& options);
int run_db_copy(const Options& options);
int run_db_del(const Options& options);
int run_db_diff(const Options& options);
int run_db_dump(const Options& options);
int run_db_get(const Options& options);
int run_db_image(const Options& options);
int run_db_list(const Options& options);
int run_db_load(const Options& options);
int run_db_put(const Options& options);
int run_db_repair(const Options& options);
int run_db_stats(const Options& options);
int run_blocktest(const Options& options);
int run_statetest(const Options& options);
int run_enginetest(const Options& options);
int run_txtest(const Options& options);

}  // namespace keel::cmd
