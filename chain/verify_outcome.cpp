#include "chain/execute_block.hpp"

namespace keel::chain {

using core::unexpected;

namespace {

/// Digits without "0x", as geth has them in these texts.
std::string digits(core::ByteView bytes) {
    return core::to_hex(bytes);
}

}  // namespace

core::Result<void, Rejection> verify_outcome(const core::Header& header,
                                             const BlockOutcome& outcome,
                                             const core::ForkRules& rules) {
    if (header.gas_used != outcome.gas_used) {
        return unexpected(reject<Verdict::GasUsed>(header.gas_used, outcome.gas_used));
    }
    if (header.bloom != outcome.bloom) {
        return unexpected(reject<Verdict::Bloom>(digits(header.bloom), digits(outcome.bloom)));
    }
    const core::Hash32 receipts = receipts_root(outcome.receipts, outcome.receipt_row);
    if (header.receipts_root != receipts) {
        return unexpected(
            reject<Verdict::ReceiptsRoot>(digits(header.receipts_root), digits(receipts)));
    }
    if (rules.eip_7685) {
        const core::Hash32 requests = requests_hash(outcome.requests);
        if (header.requests_hash != requests) {
            return unexpected(reject<Verdict::RequestsHash>(
                digits(header.requests_hash.value_or(core::Hash32{})), digits(requests)));
        }
    }
    if (header.state_root != outcome.state_root) {
        return unexpected(
            reject<Verdict::StateRoot>(digits(header.state_root), digits(outcome.state_root)));
    }
    return {};
}

}  // namespace keel::chain
