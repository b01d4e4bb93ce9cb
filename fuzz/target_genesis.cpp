#include <string_view>

#include "chain/fork_schedule.hpp"
#include "chain/genesis.hpp"
#include "core/fault.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const chain::Genesis genesis = chain::parse_genesis(text, "fuzz");
        const core::Header header =
            chain::genesis_header(genesis, chain::genesis_state_root(genesis));
        core::Bytes encoded;
        core::append_header(encoded, header);
        fuzz::require(core::decode_header(core::ByteView(encoded)).has_value(),
                      "the header of a genesis is one");
        const chain::ChainConfig again = chain::parse_chain_config(genesis.config_json, "fuzz");
        const chain::ForkSchedule schedule(genesis.config);
        const chain::ForkSchedule schedule_again(again);
        const bool merged = schedule.is_proof_of_stake({});
        fuzz::require(
            merged == schedule_again.is_proof_of_stake({}) &&
                schedule.at(7, 1000, merged).rules == schedule_again.at(7, 1000, merged).rules,
            "the stored config is the one of the file");
    } catch (const core::Fault& fault) {
        fuzz::require(fault.kind() == core::FaultKind::Usage, "a bad file is the user's");
    }
    return 0;
}
