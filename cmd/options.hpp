#pragma once

// The command line, parsed in one place into plain values.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "db/open.hpp"
#include "node/open_database.hpp"

namespace keel::cmd {

/// Arguments of the commands that run test files.
struct TestOptions {
    std::vector<std::string> paths;  // files and folders; none: names on stdin
    std::string name_pattern;        // regular expression; empty: all
    std::string network;             // empty: all
    unsigned workers = 0;            // 0: as many as the machine has
    bool exit_zero = false;          // a failed test is no failure of the command
    bool human = false;              // a line for each test
    bool strict = false;             // a refusal for another reason than the named one fails
    bool list_left_out = false;
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

    std::string table;
    std::string key;                  // 0x and hex digits, else text
    std::vector<std::string> tables;  // none: all
    bool print_format = false;        // dump: printable characters as they are
    std::string file;                 // load: "-" for stdin

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
