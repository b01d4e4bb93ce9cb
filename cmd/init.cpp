#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <string_view>

#include "chain/genesis.hpp"
#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "core/hex.hpp"
#include "node/genesis_file.hpp"
#include "node/genesis_text.hpp"
#include "node/hive_env.hpp"
#include "node/init_directory.hpp"
#include "node/logging.hpp"
#include "node/signals.hpp"

namespace keel::cmd {
namespace {

node::HiveEnvironment hive_environment() {
    node::HiveEnvironment variables;
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        const size_t equals = text.find('=');
        if (text.starts_with("HIVE_") && equals != std::string_view::npos)
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

/// The document with one of its members replaced. One that is not JSON is refused with the place.
std::string replace_member(const std::string& document, const std::string& name,
                           std::string_view key, std::string_view value) {
    if (auto changed = node::with_member(document, key, value)) return *std::move(changed);
    static_cast<void>(chain::parse_genesis(document, name));
    throw core::Fault(core::FaultKind::Usage, fmt::format("invalid genesis file {}", name));
}

std::string with_overrides(std::string document, const InitOptions& options,
                           const std::string& name) {
    if (options.overrides.empty()) return document;
    auto config = node::member_text(document, "config");
    // Without a config there is nothing to override: parsing says so.
    if (!config || !config->starts_with('{')) return document;
    for (const auto& [key, value] : options.overrides)
        config = replace_member(*config, name, key, value);
    return replace_member(document, name, "config", *config);
}

void warn_of_claims(const chain::Genesis& genesis, const chain::GenesisWritten& written) {
    const auto warn = [](const char* what, const std::optional<core::Hash32>& claimed,
                         const core::Hash32& ours) {
        if (!claimed || *claimed == ours) return;
        spdlog::warn("genesis_differs field={} file={} computed={}", what,
                     core::to_hex_prefixed(*claimed), core::to_hex_prefixed(ours));
    };
    warn("stateRoot", genesis.claimed_state_root, written.state_root);
    warn("hash", genesis.claimed_hash, written.hash);
}

}  // namespace

int run_init(const Options& options) {
    core::SystemFiles files;
    std::string document = node::read_genesis_text(files, options.init.genesis);
    const std::string name = options.init.genesis == "-" ? "stdin" : options.init.genesis;
    std::optional<uint64_t> network_id;
    if (options.init.hive) {
        const node::HiveEnvironment environment = hive_environment();
        document = replace_member(document, name, "config", node::hive_config(environment));
        network_id = node::hive_network_id(environment);
    }
    document = with_overrides(std::move(document), options.init, name);

    Output output;
    if (options.init.print_config) {
        while (document.ends_with('\n')) document.pop_back();
        output.line(document);
        output.finish();
        return 0;
    }
    const chain::Genesis genesis = node::parse_genesis_document(document, name);
    // A large one is needed no more.
    document = std::string();
    // From here on a signal waits until the genesis is there, or all is as it was.
    const node::StopGate::Work work(*options.stop_gate);
    StderrObserver observer(options.quiet);
    const chain::GenesisWritten written = node::init_directory(
        to_node_options(options, db::Access::ReadWrite, &observer), genesis, network_id);
    warn_of_claims(genesis, written);
    const std::string hash = core::to_hex_prefixed(written.hash);
    // Scripts look for this phrase.
    spdlog::info("Successfully wrote genesis state database=chaindata hash={} known={} config={}",
                 hash, written.was_there,
                 !written.was_there       ? "written"
                 : written.config_changed ? "replaced"
                                          : "kept");
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("number", uint64_t{0});
        json.field("hash", hash);
        json.field("stateRoot", core::to_hex_prefixed(written.state_root));
        json.field("chainId", genesis.config.chain_id);
        json.end_object();
        output.line(json.text());
    } else {
        output.line(hash);
    }
    output.finish();
    return 0;
}

}  // namespace keel::cmd
