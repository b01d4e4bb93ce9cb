// eth_estimateGas: the gas limit with which a call succeeds. Steps and figures as geth's estimator
// has them, so that the same number comes out (RPC.md 1.7).

#include <fmt/format.h>

#include <algorithm>

#include "rpc/dev/solo.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

using core::U256;

constexpr uint64_t kTransferGas = 21'000;
constexpr uint64_t kTxGasMax = 16'777'216;  // EIP-7825
constexpr uint64_t kCallStipend = 2'300;
// The interval that is left may be this part of the answer.
constexpr double kErrorRatio = 0.015;

class Estimator {
  public:
    Estimator(Execution& execution, uint64_t gas_cap)
        : execution_(execution), request_(execution.request()), gas_cap_(gas_cap) {}

    Answer<uint64_t> run();

  private:
    struct Probe {
        bool failed = false;
        std::optional<chain::TxOutcome> outcome;  // none: the gas does not even pay for the start
    };
    Answer<uint64_t> upper_bound();
    Answer<Probe> probe(uint64_t gas);
    bool is_plain_transfer() {
        if (!request_.input.empty() || !request_.to) return false;
        const auto account = execution_.state().account(*request_.to);
        return !account || account->code_hash == core::kEmptyCodeHash;
    }

    Execution& execution_;
    const CallRequest& request_;
    uint64_t gas_cap_;
};

Answer<uint64_t> Estimator::upper_bound() {
    uint64_t high = execution_.env().context.gas_limit;
    if (request_.gas && *request_.gas >= kTransferGas) high = *request_.gas;
    if (execution_.env().rules.rules.eip_7825) high = std::min(high, kTxGasMax);
    const U256 price = execution_.tx(0).max_fee;
    if (!price.is_zero()) {
        const auto account = execution_.state().account(request_.from);
        U256 left = account ? account->balance : U256{};
        const U256 value = request_.value.value_or(U256{});
        if (value >= left && !value.is_zero()) {
            return fail(Code::Failed, "insufficient funds for transfer");
        }
        left = left - value;
        if (request_.blob_hashes) {
            const U256 blobs = U256(request_.blob_hashes->size() * chain::kGasPerBlob) *
                               request_.max_fee_per_blob_gas.value_or(U256{});
            if (blobs >= left) {
                return fail(Code::Failed, "insufficient funds for gas * price + value");
            }
            left = left - blobs;
        }
        high = std::min(high, (left / price).saturated64());
    }
    return gas_cap_ > 0 ? std::min(high, gas_cap_) : high;
}

Answer<Estimator::Probe> Estimator::probe(uint64_t gas) {
    auto outcome = execution_.run(execution_.tx(gas));
    if (outcome) return Probe{!outcome->succeeded(), *std::move(outcome)};
    const chain::Verdict verdict = outcome.error().verdict;
    if (verdict == chain::Verdict::TxIntrinsicGas || verdict == chain::Verdict::TxFloorGas) {
        return Probe{.failed = true, .outcome = {}};
    }
    return core::unexpected(refusal_of(outcome.error(), gas));
}

Answer<uint64_t> Estimator::run() {
    const auto bound = upper_bound();
    if (!bound) return bound;
    uint64_t high = *bound;
    if (is_plain_transfer()) {
        const auto transfer = probe(kTransferGas);
        if (transfer && !transfer->failed) return kTransferGas;
    }
    const auto most = probe(high);
    if (!most) return core::unexpected(most.error());
    if (most->failed) {
        if (most->outcome && most->outcome->status != evm::Status::OutOfGas) {
            return core::unexpected(failure_of(*most->outcome));
        }
        return fail(Code::Failed, fmt::format("gas required exceeds allowance ({})", high));
    }
    uint64_t low = most->outcome->gas_used - 1;
    const uint64_t used = std::max(most->outcome->gas_before_refund, most->outcome->gas_used);
    // What is needed where nothing but the rule of 63/64 asks for more.
    const uint64_t likely = (used + kCallStipend) * 64 / 63;
    if (likely < high) {
        const auto probed = probe(likely);
        if (!probed) return core::unexpected(probed.error());
        (probed->failed ? low : high) = likely;
    }
    while (low + 1 < high) {
        if (static_cast<double>(high - low) / static_cast<double>(high) < kErrorRatio) break;
        uint64_t middle = low + (high - low) / 2;
        if (middle > low * 2) middle = low * 2;
        const auto probed = probe(middle);
        if (!probed) return core::unexpected(probed.error());
        (probed->failed ? low : high) = middle;
    }
    return high;
}

Answer<uint64_t> estimate(Call& call, Execution& execution) {
    // Who sets the time of the next block asks about that block.
    if (call.backend.solo != nullptr) {
        execution.set_timestamp(call.backend.solo->next_timestamp());
    }
    return Estimator(execution, call.backend.call_gas_cap).run();
}

}  // namespace

Answer<uint64_t> estimate(Call& call, const chain::BlockId& id, const CallParams& params) {
    const auto execution = Execution::prepare(call, id, params);
    if (!execution) return core::unexpected(execution.error());
    return estimate(call, **execution);
}

Answer<void> estimate_gas(Call& call) {
    const auto execution = Execution::of_request(call);
    if (!execution) return core::unexpected(execution.error());
    const auto gas = estimate(call, **execution);
    if (!gas) return core::unexpected(gas.error());
    call.out.quantity(*gas);
    return {};
}

}  // namespace keel::rpc::eth
