#include "cmd/options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "cmd/commands.hpp"
#include "cmd/version.hpp"
#include "cmd/words.hpp"
#include "rpc/duration.hpp"

namespace keel::cmd {
namespace {

constexpr int kUsageExit = 2;

std::filesystem::path default_datadir() {
    const char* const home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') return {};
    return std::filesystem::path(home) / ".local/share/keel";
}

struct Words {
    std::string datadir;
    std::string backend;
    std::string durability;
    std::string log_level;
};

void add_common(CLI::App& app, Options& options, Words& words) {
    app.add_option("--datadir", words.datadir, "Data directory (default: ~/.local/share/keel)")
        ->envname("KEEL_DATADIR")
        ->type_name("DIR");
    app.add_option("--db", words.backend, "Backend: mem or lmdb (default: as stored, else mem)")
        ->envname("KEEL_DB")
        ->check(CLI::IsMember({"mem", "lmdb"}));
    app.add_option("--durability", words.durability,
                   "What a commit waits for: close, group or commit")
        ->check(CLI::IsMember({"close", "group", "commit"}));
    app.add_flag("--db.allow-nfs", options.allow_network_file_system,
                 "Write on a network file system");
    app.add_option("--wait", options.wait_seconds,
                   "Wait for a data directory that another process holds")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.0, 86'400.0));
    app.add_flag("--json", options.json, "Results as one JSON document");
    app.add_flag("-q,--quiet", options.quiet, "Errors only on stderr");
    app.add_option("--log.level", words.log_level,
                   "error, warn, info, debug or trace (default: info)")
        ->check(CLI::IsMember({"error", "warn", "info", "debug", "trace"}));
    app.add_flag("--log.json", options.log.json, "Log lines on stderr as JSON");
}

/// Flags of geth and erigon that scripts give to init, import and daemon. Nothing here depends on
/// them; with `has_value` false they are flags without a value.
struct IgnoredFlag {
    const char* name;
    bool has_value;
};
constexpr IgnoredFlag kIgnoredFlags[] = {
    {"--networkid", true},    {"--syncmode", true},      {"--gcmode", true},
    {"--state.scheme", true}, {"--verbosity", true},     {"--cache", true},
    {"--fakepow", false},     {"--nocompaction", false}, {"--db.size.limit", true},
    {"--nodiscover", false},  {"--bootnodes", true},     {"--nat", true},
    {"--port", true},         {"--maxpeers", true},
};

/// Before or after the command's name, and not in the help.
void add_ignored_flags(CLI::App& app) {
    for (const IgnoredFlag& flag : kIgnoredFlags)
        app.add_option(flag.name)->expected(flag.has_value ? 1 : 0)->group("");
}

bool takes_ignored_flags(Command command) {
    constexpr std::array kCommands = {run_init, run_import, run_daemon};
    return std::ranges::find(kCommands, command) != kCommands.end();
}

/// CLI11 takes -1 for an unsigned number; this takes decimal digits that fit 64 bits.
CLI::Validator decimal_number() {
    return CLI::Validator(
        [](const std::string& text) {
            uint64_t value = 0;
            const char* const end = text.data() + text.size();
            const auto read = std::from_chars(text.data(), end, value);
            const bool whole = read.ec == std::errc() && read.ptr == end;
            return whole ? std::string() : text + " is not a number from 0 to 2^64 - 1";
        },
        "NUMBER");
}

CLI::App* add_command(CLI::App& parent, const char* name, const char* description,
                      const char* example, Command command, Parsed& parsed) {
    CLI::App* const app = parent.add_subcommand(name, description);
    app->footer(std::string("Example: ") + example);
    app->callback([&parsed, command] { parsed.command = command; });
    return app;
}

void add_init_command(CLI::App& app, Parsed& parsed) {
    CLI::App& init = *add_command(app, "init", "Make a data directory of a genesis file",
                                  "keel init --datadir /srv/keel genesis.json", run_init, parsed);
    InitOptions& options = parsed.options.init;
    init.add_option("GENESIS", options.genesis, "A genesis file, or - for stdin")->required();
    init.add_flag("--hive", options.hive, "Take the config from the HIVE_ variables");
    init.add_flag("--print-config", options.print_config,
                  "Print the genesis as it would be used, and stop");
    for (const char* const fork : {"osaka", "amsterdam", "bpo1", "bpo2"}) {
        init.add_option_function<std::string>(
                std::string("--override.") + fork,
                [&options, fork](const std::string& time) {
                    options.overrides.emplace_back(std::string(fork) + "Time", time);
                },
                std::string("Time at which ") + fork + " becomes active")
            ->type_name("SECONDS")
            ->check(decimal_number());
    }
}

void add_import_command(CLI::App& app, Parsed& parsed) {
    CLI::App& import =
        *add_command(app, "import", "Execute files of blocks into the chain",
                     "keel import --datadir /srv/keel chain.rlp more.rlp.gz", run_import, parsed);
    ImportOptions& options = parsed.options.import;
    import.add_option("FILE", options.files,
                      "Files of RLP blocks, plain, gzip or zstd; - for stdin");
    import
        .add_option("--files-from", options.files_from,
                    "More names, one a line, from this file; - for stdin")
        ->type_name("FILE");
    import.add_flag("--verify-seal", options.verify_seal, "Verify proofs of work");
    import.callback([&] {
        if (options.files.empty() && options.files_from.empty())
            throw CLI::RequiredError("FILE or --files-from");
        parsed.command = run_import;
    });
}

/// Words between commas; empty ones are left out.
std::vector<std::string> words_of(const std::string& list) {
    std::vector<std::string> words;
    for (size_t at = 0; at < list.size();) {
        const size_t end = std::min(list.find(',', at), list.size());
        if (end > at) words.push_back(list.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

template <class Into>
void add_list_option(CLI::App& command, const char* name, const char* description, Into& into) {
    command
        .add_option_function<std::string>(
            name, [&into](const std::string& list) { into = words_of(list); }, description)
        ->type_name("A,B,…");
}

/// The port of the consensus client.
void add_engine_options(CLI::App& daemon, node::DaemonOptions& serving) {
    rpc::ListenerOptions& engine = serving.engine_listener;
    daemon.add_option("--authrpc.addr", engine.address, "Address of the Engine API")
        ->capture_default_str();
    daemon.add_option("--authrpc.port", engine.port, "Its port; 0: any that is free")
        ->capture_default_str()
        ->check(CLI::Range(0, 65'535));
    add_list_option(daemon, "--authrpc.vhosts", "Names of this host (default: localhost); *: any",
                    engine.vhosts);
    daemon
        .add_option("--authrpc.jwtsecret", serving.jwt_secret_file,
                    "32 bytes in hex, made if missing (default: jwt.hex in the data directory)")
        ->type_name("FILE");
    daemon
        .add_option_function<uint64_t>(
            "--engine.maxreorgdepth", [&](uint64_t blocks) { serving.reorg_depth_max = blocks; },
            "Blocks that a forkchoice may take back (default: 0, any number)")
        ->check(decimal_number());
}

void add_websocket_options(CLI::App& daemon, node::DaemonOptions& serving) {
    rpc::ListenerOptions& ws = serving.ws_listener;
    daemon.add_flag("--ws", serving.ws, "JSON-RPC over WebSocket, on HTTP's port too");
    daemon.add_option("--ws.addr", ws.address, "Address of WebSocket")->capture_default_str();
    daemon.add_option("--ws.port", ws.port, "Its port; 0: any that is free")
        ->capture_default_str()
        ->check(CLI::Range(0, 65'535));
    add_list_option(daemon, "--ws.api",
                    "Namespaces (default: eth,net,web3; with --dev debug,txpool,rpc too)",
                    serving.ws_api);
    add_list_option(daemon, "--ws.origins",
                    "Origins whose pages may connect (default: localhost); *: any",
                    serving.ws_origins);
    daemon.add_option("--ws.rpcprefix", ws.path, "Path that is served")->capture_default_str();
}

void add_log_limits(CLI::App& daemon, node::DaemonOptions& serving) {
    rpc::LogLimits& limits = serving.log_limits;
    daemon
        .add_option("--rpc.rangelimit,--rpc.max-blocks-per-filter", limits.blocks_max,
                    "Blocks in a query of logs at most; 0: any")
        ->capture_default_str()
        ->check(decimal_number());
    daemon
        .add_option("--rpc.logquerylimit", limits.choices_max,
                    "Addresses, and topics of a position, in a query of logs at most; 0: any")
        ->capture_default_str()
        ->check(decimal_number());
    daemon
        .add_option("--rpc.max-logs-per-response", limits.logs_max,
                    "Logs of an answer at most; 0: any")
        ->capture_default_str()
        ->check(decimal_number());
}

/// A duration as Go writes one, in milliseconds.
void add_duration_option(CLI::App& daemon, const char* name, const char* description,
                         uint64_t& into_ms) {
    daemon
        .add_option_function<std::string>(
            name,
            [&into_ms, name](const std::string& text) {
                const auto value_ms = rpc::parse_duration_ms(text);
                if (!value_ms) throw CLI::ValidationError(name, text + " is no duration");
                into_ms = *value_ms;
            },
            description)
        ->type_name("DURATION");
}

void add_sync_options(CLI::App& daemon, node::DaemonOptions& serving) {
    add_duration_option(daemon, "--rpc.txsync.defaulttimeout",
                        "How long sendRawTransactionSync waits (default: 20s)",
                        serving.sync_wait_ms);
    add_duration_option(daemon, "--rpc.txsync.maxtimeout", "And at most (default: 1m)",
                        serving.sync_wait_ms_max);
}

void add_page_options(CLI::App& daemon, node::DaemonOptions& serving) {
    daemon.add_flag_callback(
        "--http.ui", [&serving] { serving.explorer = true; },
        "The explorer at /ui (default: where only this machine can see it)");
    daemon.add_flag_callback(
        "--http.ui.off", [&serving] { serving.explorer = false; }, "No explorer");
    daemon.add_flag("--healthcheck", serving.health,
                    "Erigon's /health (default: on; --healthcheck=false: off)");
    daemon.add_flag("--metrics", serving.metrics, "Figures for Prometheus at /metrics");
    daemon.add_option("--metrics.addr", serving.metrics_listener.address, "Their address")
        ->capture_default_str();
    daemon.add_option("--metrics.port", serving.metrics_listener.port, "And port; 0: any")
        ->capture_default_str()
        ->check(CLI::Range(0, 65'535));
}

void add_solo_options(CLI::App& daemon, node::DaemonOptions& serving) {
    auto* const solo = daemon.add_flag(
        "--dev", serving.solo,
        "Make blocks here, for people without a consensus client; a new directory gets a chain of "
        "ten known accounts");
    daemon
        .add_option("--dev.period", serving.solo_period_s,
                    "Seconds between blocks (default: 0, a block for each transaction)")
        ->needs(solo)
        ->check(CLI::Range(0, 86'400));
    daemon
        .add_option_function<uint64_t>(
            "--dev.gaslimit", [&](uint64_t gas) { serving.solo_gas_limit = gas; },
            "Gas limit of the blocks (default: as the parent's)")
        ->needs(solo)
        ->check(decimal_number());
}

void add_daemon_command(CLI::App& app, Parsed& parsed) {
    CLI::App& daemon =
        *add_command(app, "daemon", "Serve the chain over JSON-RPC",
                     "keel daemon --datadir /srv/keel --http.port 8545", run_daemon, parsed);
    DaemonOptions& options = parsed.options.daemon;
    node::DaemonOptions& serving = options.serving;
    rpc::ListenerOptions& http = serving.http_listener;
    daemon.add_flag("--http", serving.http, "JSON-RPC over HTTP (default: on; --http=false: off)");
    daemon.add_option("--http.addr", http.address, "Address to listen on")->capture_default_str();
    daemon.add_option("--http.port", http.port, "Port; 0: any that is free")
        ->capture_default_str()
        ->check(CLI::Range(0, 65'535));
    add_list_option(daemon, "--http.api",
                    "Namespaces (default: eth,net,web3; with --dev debug,txpool,rpc too)",
                    serving.http_api);
    add_list_option(daemon, "--http.corsdomain", "Origins whose pages may ask (default: none)",
                    http.cors_domains);
    add_list_option(daemon, "--http.vhosts", "Names of this host (default: localhost); *: any",
                    http.vhosts);
    daemon.add_option("--http.rpcprefix", http.path, "Path that is served")->capture_default_str();
    daemon
        .add_option_function<uint64_t>(
            "--rpc.gascap", [&](uint64_t gas) { serving.call_gas_cap = gas; },
            "Gas of eth_call at most (default: 50000000)")
        ->check(decimal_number());
    add_duration_option(daemon, "--rpc.evmtimeout",
                        "Time of eth_call at most (default: 5s; 0s: any)", serving.call_ms_max);
    daemon
        .add_option("--rpc.returndata.limit", serving.return_data_max,
                    "Bytes that eth_call returns at most; 0: any")
        ->capture_default_str()
        ->check(decimal_number());
    daemon
        .add_option("--rpc.batch-request-limit,--rpc.batch.limit", serving.limits.batch_items_max,
                    "Calls in a batch at most")
        ->capture_default_str()
        ->check(decimal_number());
    daemon
        .add_option("--rpc.batch-response-max-size", serving.limits.batch_bytes_max,
                    "Bytes of a batch's answer, after which calls are refused")
        ->capture_default_str()
        ->check(decimal_number());
    daemon
        .add_option_function<uint64_t>(
            "--rpc.http-body-limit", [&](uint64_t mib) { http.body_bytes_max = mib << 20; },
            "MiB of a request at most (default: 5)")
        ->check(CLI::Range(1, 4096));
    daemon
        .add_option("--rpc.max-connections", serving.server.connections_max,
                    "Clients connected at once")
        ->capture_default_str()
        ->check(decimal_number());
    daemon.add_option("--rpc.threads", serving.server.pool_threads, "Threads that execute calls")
        ->check(CLI::Range(1, 1024));
    daemon
        .add_option_function<uint64_t>(
            "--networkid", [&](uint64_t id) { serving.network_id = id; },
            "What net_version says (default: as stored)")
        ->check(decimal_number());
    add_websocket_options(daemon, serving);
    add_log_limits(daemon, serving);
    add_sync_options(daemon, serving);
    add_page_options(daemon, serving);
    daemon
        .add_option("--ipcpath", serving.ipc_path,
                    "Unix socket (default: keel.ipc); a mere name is one in the data directory")
        ->type_name("FILE");
    daemon.add_flag_callback("--ipcdisable", [&serving] { serving.ipc = false; }, "No Unix socket");
    add_engine_options(daemon, serving);
    add_solo_options(daemon, serving);
    daemon
        .add_option_function<uint64_t>(
            "--miner.gaslimit", [&](uint64_t gas) { serving.building.gas_limit_target = gas; },
            "Gas limit that built blocks go towards (default: 60000000)")
        ->check(decimal_number());
    daemon
        .add_option_function<std::string>(
            "--miner.extradata",
            [&](const std::string& text) {
                serving.building.extra_data.assign(text.begin(), text.end());
            },
            "Extra data of built blocks, at most 32 bytes (default: keel and its version)")
        ->check(CLI::Validator(
            [](const std::string& text) {
                return text.size() <= 32 ? std::string() : "longer than 32 bytes";
            },
            "TEXT"));
    daemon.add_flag("--rpc.allow-unprotected-txs", serving.pool.allows_unprotected,
                    "Take transactions without a chain id");
    daemon
        .add_option_function<double>(
            "--rpc.txfeecap",
            [&](double ether) { serving.pool.fee_cap_wei = static_cast<uint64_t>(ether * 1e18); },
            "Ether that a transaction may pay for gas (default: 1; 0: any)")
        ->check(CLI::Range(0.0, 18.0));
    daemon.add_option("--ready-file", options.ready_file, "Gets the ready line as JSON")
        ->type_name("FILE");
}

void add_database_commands(CLI::App& app, Parsed& parsed) {
    CLI::App& database = *app.add_subcommand("db", "Look at and mend the database");
    database.require_subcommand(1);
    Options& options = parsed.options;
    CLI::App* const stats =
        add_command(database, "stats", "Figures of the store and of each table",
                    "keel db stats --datadir /srv/keel --json", run_db_stats, parsed);
    stats->add_option("--html", options.html_file, "Write them as one page to look at")
        ->type_name("FILE");
    add_command(database, "list", "Tables and how many entries they have", "keel db list",
                run_db_list, parsed);
    CLI::App* const get =
        add_command(database, "get", "Values of a key, in hex, one a line; exit 1: not there",
                    "keel db get Account 0x00ff", run_db_get, parsed);
    get->add_option("TABLE", options.table, "Name of the table")->required();
    get->add_option("KEY", options.key, "0x and hex digits, else taken as text")->required();
    CLI::App* const put = add_command(database, "put", "Put an entry, in a commit of its own",
                                      "keel db put Chain note 0x00ff", run_db_put, parsed);
    CLI::App* const del =
        add_command(database, "del", "Delete a key, or one of its values; exit 1: not there",
                    "keel db del Chain note", run_db_del, parsed);
    for (CLI::App* const change : {put, del}) {
        change->add_option("TABLE", options.table, "Name of the table")->required();
        change->add_option("KEY", options.key, "0x and hex digits, else taken as text")->required();
    }
    put->add_option("VALUE", options.value, "The same")->required();
    del->add_option("VALUE", options.value, "Of a table with many values a key: this one alone");
    CLI::App* const copy =
        add_command(database, "copy", "The content into a new directory, compact; in use or not",
                    "keel db copy /backup/keel", run_db_copy, parsed);
    CLI::App* const convert =
        add_command(database, "convert", "The same for another backend, checked by digest",
                    "keel db convert /srv/keel-lmdb --to lmdb", run_db_convert, parsed);
    convert->add_option("--to", options.to_backend, "mem or lmdb")->required();
    for (CLI::App* const transfer : {copy, convert})
        transfer->add_option("DIRECTORY", options.file, "New, or empty")->required();
    CLI::App* const diff =
        add_command(database, "diff", "What differs from another database; exit 1: something",
                    "keel db diff /backup/keel", run_db_diff, parsed);
    diff->add_option("DIRECTORY", options.file, "The other one")->required();
    CLI::App* const dump = add_command(database, "dump", "Tables as text that mdb_load reads too",
                                       "keel db dump Account > account.txt", run_db_dump, parsed);
    dump->add_option("TABLE", options.tables, "Tables (default: all)");
    dump->add_flag("-p,--print", options.print_format, "Printable characters as they are");
    CLI::App* const load =
        add_command(database, "load", "Put the entries of a dump into the database, in one commit",
                    "keel db load account.txt", run_db_load, parsed);
    load->add_option("FILE", options.file, "A dump, or - for stdin")->required();
    load->add_option("--table", options.table, "Table for a dump that names none");
    add_command(database, "check", "Read every entry both ways; exit 4: damaged", "keel db check",
                run_db_check, parsed);
    add_command(database, "checksum", "Digest of the content, the same on every backend",
                "keel db checksum", run_db_checksum, parsed);
    add_command(database, "compact", "Write the files anew without what they do not need",
                "keel db compact --datadir /srv/keel", run_db_compact, parsed);
    CLI::App* const image = add_command(
        database, "image", "Look at an image file of backend mem and check it; exit 4: damaged",
        "keel db image /backup/keel/store.img --page 2", run_db_image, parsed);
    image->add_option("FILE", options.file, "An image (default: store.img of the data directory)");
    image->add_option("--page", options.page, "Show this page alone")
        ->type_name("N")
        ->check(decimal_number());
    CLI::App* const repair = add_command(
        database, "repair",
        "Go back to the newest whole commit; what is taken away is kept beside it as .damaged",
        "keel db repair --dry-run", run_db_repair, parsed);
    repair->add_flag("--dry-run", options.dry_run,
                     "Only say what is damaged; exit 4: something is");
}

void add_test_command(CLI::App& app, const char* name, const char* description, const char* example,
                      Command command, Parsed& parsed) {
    CLI::App* const test = add_command(app, name, description, example, command, parsed);
    TestOptions& options = parsed.options.tests;
    test->add_option("PATH", options.paths, "Files and folders (default: names on stdin)");
    test->add_option("--run", options.name_pattern, "Only tests whose name matches")
        ->type_name("REGEX");
    test->add_option("--fork", options.network, "Only tests of this network, e.g. Cancun")
        ->type_name("NAME");
    test->add_option("--workers", options.workers, "Threads (default: as the machine has)");
    test->add_option("--shard", options.shard, "Only the I-th of N parts of the tests")
        ->type_name("I/N");
    test->add_option("--timeout", options.time_limit_seconds,
                     "A test that takes longer fails (default: no limit)")
        ->type_name("SECONDS")
        ->check(CLI::NonNegativeNumber);
    test->add_flag("--exit-zero", options.exit_zero, "Exit 0 although tests failed");
    test->add_flag("--human", options.human, "A line for each test");
    test->add_flag("--strict", options.strict,
                   "A refusal must have the reason that the file names");
    test->add_flag("--trace", options.trace, "Each instruction to stderr as EIP-3155 JSON");
    test->add_flag("--trace.memory", options.trace_memory, "Traces with the memory");
    test->add_flag("--trace.nostack", options.trace_no_stack, "Traces without the stack");
    test->add_flag("--trace.returndata", options.trace_return_data, "Traces with return data");
}

void add_test_commands(CLI::App& app, Parsed& parsed) {
    add_test_command(app, "blocktest", "Run blockchain tests, each on a store of its own",
                     "keel blocktest --fork Cancun BlockchainTests", run_blocktest, parsed);
    add_test_command(app, "statetest", "Run state tests", "keel statetest --json test.json",
                     run_statetest, parsed);
    add_test_command(app, "enginetest", "Run engine tests, through the code that serves them",
                     "keel enginetest --strict blockchain_tests_engine", run_enginetest, parsed);
    add_test_command(app, "txtest", "Run transaction tests", "keel txtest TransactionTests",
                     run_txtest, parsed);
}

/// What is asked for; else hive's word where it is the environment that counts; else info.
node::LogLevel log_level(const std::string& word, const Options& options) {
    if (options.quiet) return node::LogLevel::Error;
    if (const auto level = node::log_level_of(word)) return *level;
    const char* const hive = options.init.hive ? std::getenv("HIVE_LOGLEVEL") : nullptr;
    uint64_t number = 0;
    if (hive != nullptr &&
        std::from_chars(hive, hive + std::strlen(hive), number).ec == std::errc())
        return node::log_level_of_hive(number);
    return node::LogLevel::Info;
}

/// Words of a command and of those below it.
void collect_words(const CLI::App& app, const std::string& path,
                   const std::vector<std::string>& inherited, std::vector<CommandWords>& to) {
    CommandWords words{.path = path, .flags = inherited, .commands = {}};
    for (const CLI::Option* const option : app.get_options())
        if (!option->get_group().empty())
            for (const std::string& name : option->get_lnames()) words.flags.push_back("--" + name);
    std::ranges::sort(words.flags);
    const auto repeated = std::ranges::unique(words.flags);
    words.flags.erase(repeated.begin(), repeated.end());
    const auto below =
        app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
    for (const CLI::App* const command : below) words.commands.push_back(command->get_name());
    to.push_back(words);
    for (const CLI::App* const command : below)
        collect_words(*command,
                      path.empty() ? command->get_name() : path + " " + command->get_name(),
                      words.flags, to);
}

std::vector<CommandWords> all_words(const CLI::App& app) {
    std::vector<CommandWords> words;
    collect_words(app, {}, {}, words);
    return words;
}

/// Names the flag or command that was probably meant.
void hint_at_nearest(const CLI::App& app, int argc, char** argv) {
    const std::vector<CommandWords> words = all_words(app);
    const CommandWords* here = &words.front();
    const CLI::App* command = &app;
    std::string path;
    while (!command->get_subcommands().empty()) {
        command = command->get_subcommands().front();
        path += (path.empty() ? "" : " ") + command->get_name();
    }
    for (const CommandWords& each : words)
        if (each.path == path) here = &each;
    bool is_value = false;  // what stands behind a flag may be its value
    for (int i = 1; i < argc; ++i) {
        const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
        const bool is_flag = word.starts_with("--") && word.size() > 2;
        const std::vector<std::string>& candidates = is_flag ? here->flags : here->commands;
        const bool known = std::ranges::find(candidates, word) != candidates.end();
        if (!known && (is_flag || !is_value)) {
            if (const auto nearest = nearest_word(word, candidates))
                std::cerr << word << " is not known: did you mean " << *nearest << "?\n";
            else if (!is_flag && !candidates.empty())
                std::cerr << word << " is not a command\n";
        }
        is_value = word.starts_with('-');
    }
}

void add_completion_command(CLI::App& app, Parsed& parsed) {
    CLI::App& completion =
        *add_command(app, "completion", "Script that completes commands and flags in bash",
                     "source <(keel completion bash)", run_completion, parsed);
    completion.add_option("SHELL", parsed.options.shell, "bash")
        ->required()
        ->check(CLI::IsMember({"bash"}));
}

using AddCommand = void (*)(CLI::App& app, Parsed& parsed);
struct NamedCommand {
    std::string_view name;
    AddCommand add;
};
/// Commands that start often and briefly.
constexpr NamedCommand kShortWays[] = {
    {"init", add_init_command}, {"import", add_import_command}, {"daemon", add_daemon_command}};

void add_all_commands(CLI::App& app, Parsed& parsed) {
    for (const NamedCommand& each : kShortWays) each.add(app, parsed);
    add_command(app, "version", "Version and commit", "keel version --json", run_version, parsed);
    add_database_commands(app, parsed);
    add_test_commands(app, parsed);
    add_completion_command(app, parsed);
}

/// The command line, by the commands that `add_commands` knows; what `on_error` makes of a
/// CLI::ParseError.
template <class OnError>
std::optional<Parsed> parse_commands(int argc, char** argv, AddCommand add_commands,
                                     const OnError& on_error) {
    Parsed parsed;
    Words words;
    CLI::App app("Ethereum execution toolkit", "keel");
    app.footer("Example: keel db stats --datadir /srv/keel");
    app.require_subcommand(1);
    app.fallthrough();  // common flags may stand behind the command too
    app.set_version_flag("--version", producer());
    add_common(app, parsed.options, words);
    // Flags have dots in their names; sections of the file are commands.
    app.get_config_formatter_base()->parentSeparator('/');
    app.set_config("--config", "", "TOML file with flags, e.g. datadir = \"/srv/keel\"");
    app.allow_config_extras(false);
    add_ignored_flags(app);
    add_commands(app, parsed);
    for (CLI::App* const command : app.get_subcommands({})) {
        command->fallthrough();
        for (CLI::App* const below : command->get_subcommands({})) below->fallthrough();
    }
    try {
        app.parse(argc, argv);
        for (const IgnoredFlag& flag : kIgnoredFlags) {
            if (app.count(flag.name) == 0) continue;
            if (!takes_ignored_flags(parsed.command)) throw CLI::ExtrasError({flag.name});
            parsed.options.ignored_flags.emplace_back(flag.name);
        }
    } catch (const CLI::ParseError& error) {
        return on_error(app, error);
    }
    if (parsed.command == run_completion)
        parsed.options.completion = bash_completion(all_words(app));
    parsed.options.datadir =
        words.datadir.empty() ? default_datadir() : std::filesystem::path(words.datadir);
    parsed.options.log.level = log_level(words.log_level, parsed.options);
    if (words.backend == "mem") parsed.options.backend = db::Backend::Mem;
    if (words.backend == "lmdb") parsed.options.backend = db::Backend::Lmdb;
    if (words.durability == "close") parsed.options.durability = db::Durability::Close;
    if (words.durability == "group") parsed.options.durability = db::Durability::Group;
    if (words.durability == "commit") parsed.options.durability = db::Durability::Commit;
    return parsed;
}

/// The command of argv, if nothing but it needs to be known: a file of flags may have sections for
/// all commands.
AddCommand short_way(int argc, char** argv) {
    if (argc < 2) return nullptr;
    for (int i = 2; i < argc; ++i)
        if (std::string_view(argv[i]).starts_with("--config")) return nullptr;
    for (const NamedCommand& each : kShortWays)
        if (each.name == argv[1]) return each.add;
    return nullptr;
}

}  // namespace

Parsed parse(int argc, char** argv) {
    if (const AddCommand add = short_way(argc, argv)) {
        // Help and errors name every command.
        const auto none = [](CLI::App&, const CLI::ParseError&) -> std::optional<Parsed> {
            return {};
        };
        if (auto parsed = parse_commands(argc, argv, add, none)) return *parsed;
    }
    return *parse_commands(
        argc, argv, add_all_commands, [&](CLI::App& app, const CLI::ParseError& error) {
            Parsed parsed;
            parsed.exit_code = app.exit(error, std::cout, std::cerr) == 0 ? 0 : kUsageExit;
            if (parsed.exit_code != 0) hint_at_nearest(app, argc, argv);
            return std::optional(parsed);
        });
}

node::Options to_node_options(const Options& options, db::Access access, db::Observer* observer) {
    node::Options to;
    to.directory = options.datadir;
    to.backend = options.backend;
    to.access = access;
    to.durability = options.durability;
    to.allow_network_file_system = options.allow_network_file_system;
    to.wait = std::chrono::milliseconds(static_cast<int64_t>(options.wait_seconds * 1000));
    to.producer = producer();
    to.observer = observer;
    return to;
}

}  // namespace keel::cmd
