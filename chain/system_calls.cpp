#include "chain/system_calls.hpp"

#include <fmt/core.h>

#include <utility>

#include "evm/precompiles/table.hpp"

namespace keel::chain {

using core::Address;
using core::Bytes;
using core::ByteView;
using core::unexpected;

namespace {

constexpr int64_t kGas = 30'000'000;  // EIP-4788, not counted in the block

// Last 20 bytes of a contract's address, the way the EIPs write them.
constexpr Address kCaller{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};
constexpr Address kBeaconRoots{{0x00, 0x0f, 0x3d, 0xf6, 0xd7, 0x32, 0x80, 0x7e, 0xf1, 0x31,
                                0x9f, 0xb7, 0xb8, 0xbb, 0x85, 0x22, 0xd0, 0xbe, 0xac, 0x02}};
constexpr Address kParentHashes{{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                 0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};
constexpr Address kWithdrawalRequests{{0x00, 0x00, 0x09, 0x61, 0xef, 0x48, 0x0e, 0xb5, 0x5e, 0x80,
                                       0xd1, 0x9a, 0xd8, 0x35, 0x79, 0xa6, 0x4c, 0x00, 0x70, 0x02}};
constexpr Address kConsolidationRequests{{0x00, 0x00, 0xbb, 0xdd, 0xc7, 0xce, 0x48,
                                          0x86, 0x42, 0xfb, 0x57, 0x9f, 0x8b, 0x00,
                                          0xf3, 0xa5, 0x90, 0x00, 0x72, 0x51}};

struct Ended {
    evm::Status status;
    Bytes output;
};

// EIP-4788, EIP-7002: the caller pays nothing and its nonce stays; logs are dropped.
core::Result<Ended, Rejection> system_call(evm::Workspace& workspace, state::Journal& journal,
                                           const BlockEnv& env, const Address& contract,
                                           ByteView input) {
    journal.begin_transaction(env.rules.rules);
    evm::TxContext context;
    context.origin = kCaller;
    context.precompiles_are_warm = false;
    evm::Message message;
    message.gas = kGas;
    message.sender = kCaller;
    message.recipient = message.code_address = contract;
    message.input = input;
    evm::Evm evm(workspace, journal, env.rules.rules, env.context, context);
    const evm::CallResult result = evm.execute(message);
    Ended ended{result.status, result.output.to_bytes()};
    journal.take_logs();
    journal.end_transaction();
    return ended;
}

core::Result<void, Rejection> call_if_there(evm::Workspace& workspace, state::Journal& journal,
                                            const BlockEnv& env, const Address& contract,
                                            ByteView input) {
    if (journal.code(contract).empty()) return {};
    const auto ended = system_call(workspace, journal, env, contract, input);
    if (!ended) return unexpected(ended.error());
    return {};
}

core::Result<void, Rejection> ask_for_requests(evm::Workspace& workspace, state::Journal& journal,
                                               const BlockEnv& env, const Address& contract,
                                               core::RequestType type, core::Requests& requests) {
    if (journal.code(contract).empty()) {
        return unexpected(reject<Verdict::SystemContractEmpty>(contract));
    }
    auto ended = system_call(workspace, journal, env, contract, {});
    if (!ended) return unexpected(std::move(ended.error()));
    if (ended->status != evm::Status::Success) {
        return unexpected(reject<Verdict::SystemCallFailed>(fmt::format(
            "{} at {}", evm::to_string(ended->status), core::to_hex_prefixed(contract))));
    }
    if (!ended->output.empty()) requests.push_back({type, std::move(ended->output)});
    return {};
}

}  // namespace

core::Result<void, Rejection> begin_block_calls(evm::Workspace& workspace, state::Journal& journal,
                                                const BlockEnv& env, const core::Header& header) {
    const core::ForkRules& rules = env.rules.rules;
    if (rules.eip_4788 && header.parent_beacon_root) {
        const auto called =
            call_if_there(workspace, journal, env, kBeaconRoots, *header.parent_beacon_root);
        if (!called) return called;
    }
    if (rules.eip_2935) {
        return call_if_there(workspace, journal, env, kParentHashes, header.parent_hash);
    }
    return {};
}

core::Result<void, Rejection> end_block_calls(evm::Workspace& workspace, state::Journal& journal,
                                              const BlockEnv& env, core::Requests& requests) {
    const core::ForkRules& rules = env.rules.rules;
    if (rules.eip_7002) {
        const auto asked = ask_for_requests(workspace, journal, env, kWithdrawalRequests,
                                            core::RequestType::Withdrawal, requests);
        if (!asked) return asked;
    }
    if (rules.eip_7251) {
        return ask_for_requests(workspace, journal, env, kConsolidationRequests,
                                core::RequestType::Consolidation, requests);
    }
    return {};
}

}  // namespace keel::chain
