#pragma once

// The command line, parsed in one place into plain values.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db/open.hpp"
#include "node/daemon.hpp"
#include "node/logging.hpp"
#include "node/open_database.hpp"
#include "node/signals.hpp"

namespace keel::cmd {

/// Arguments of the commands that run test files.
struct TestOptions {
    std::vector<std::string> paths;  // files and folders; none: names on stdin
    std::string name_pattern;        // regular expression; empty: all
    std::string network;             // empty: all
    unsigned workers = 0;            // 0: as many as the machine has
    std::string shard;               // "I/N": the I-th of N parts, from 1; empty: all
    double time_limit_seconds = 0;   // of one test; 0: none
    bool exit_zero = false;          // a failed test is no failure of the command
    bool human = false;              // a line for each test
    bool strict = false;             // a refusal for another reason than the named one fails
    bool trace = false;              // EIP-3155 lines to stderr, one test after the other
    bool trace_memory = false;
    bool trace_no_stack = false;
    bool trace_return_data = false;
};

struct InitOptions {
    std::string genesis;        // "-" for stdin
    bool hive = false;          // the config comes from the environment
    bool print_config = false;  // and nothing else
    // Keys of the config and the decimal numbers they get.
    std::vector<std::pair<std::string, std::string>> overrides;
};

struct ImportOptions {
    std::vector<std::string> files;  // "-" for stdin
    std::string files_from;          // a file of names, "-" for stdin; empty: none
    bool verify_seal = false;
};

struct DaemonOptions {
    node::DaemonOptions serving;
    std::filesystem::path ready_file;  // empty: none
};

/// Flags of every command, and the arguments of the one that was given.
struct Options {
    std::filesystem::path datadir;
    std::optional<db::Backend> backend;
    std::optional<db::Durability> durability;
    bool allow_network_file_system = false;
    double wait_seconds = 0;  // for a directory that another process holds
    bool json = false;
    bool quiet = false;
    node::LogOptions log;
    // Flags that scripts written for other clients give; they have no effect.
    std::vector<std::string> ignored_flags;
    node::StopGate* stop_gate = nullptr;     // set by main; lifetime: the program's
    std::shared_ptr<node::Console> console;  // set by main

    std::string table;
    std::string key;                   // 0x and hex digits, else text
    std::vector<std::string> tables;   // none: all
    bool print_format = false;         // dump: printable characters as they are
    std::string file;                  // load: "-" for stdin; copy, convert, diff: a directory
    std::optional<std::string> value;  // put, del: 0x and hex digits, else text
    std::string to_backend;            // convert
    std::string html_file;             // stats: gets the picture; empty: none
    bool dry_run = false;              // repair
    std::optional<uint64_t> page;      // image: this one alone

    std::string shell;       // completion: its name
    std::string completion;  // and the script

    InitOptions init;
    ImportOptions import;
    DaemonOptions daemon;
    TestOptions tests;
};

using Command = int (*)(const Options&);

struct Parsed {
    Command command = nullptr;  // null: all is said already, end with exit_code
    int exit_code = 0;
    Options options;
};

/// Environment: KEEL_DATADIR, KEEL_DB. Help goes to stdout, a wrong flag to stderr with code 2.
Parsed parse(int argc, char** argv);

/// What opening needs. `observer` may be null.
node::Options to_node_options(const Options& options, db::Access access, db::Observer* observer);

}  // namespace keel::cmd
