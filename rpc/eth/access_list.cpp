// eth_createAccessList: the accounts and slots that a call touches, so that naming them beforehand
// changes nothing more. Source: EIP-2930; RPC.md 1.7.

#include <algorithm>
#include <map>
#include <set>

#include "crypto/recover.hpp"
#include "evm/precompiles/table.hpp"
#include "evm/tracer.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

using core::Address;
using Touched = std::map<Address, std::set<core::U256>>;

// Instructions that name an account or a slot.
enum Op : uint8_t {
    kBalance = 0x31,
    kExtCodeSize = 0x3b,
    kExtCodeCopy = 0x3c,
    kExtCodeHash = 0x3f,
    kSload = 0x54,
    kSstore = 0x55,
    kCall = 0xf1,
    kCallCode = 0xf2,
    kDelegateCall = 0xf4,
    kStaticCall = 0xfa,
    kSelfDestruct = 0xff,
};

Address address_of(const core::U256& word) {
    const auto bytes = word.to_be32();
    return Address(core::ByteView(bytes).sub(12));
}

class TouchTracer final : public evm::Tracer {
  public:
    /// lifetime: `excluded` get no entry for themselves.
    TouchTracer(const std::set<Address>& excluded, Touched touched)
        : excluded_(excluded), touched_(std::move(touched)) {}

    void enter(const evm::Message&) override {}
    void exit(const evm::Message&, const evm::CallResult&) override {}
    void charged(int64_t) override {}
    void fault(evm::Status) override {}
    void step(const evm::Step& step) override {
        const size_t depth = step.stack.size();
        switch (step.op) {
            case kSload:
            case kSstore:
                if (depth >= 1) touched_[step.message.recipient].insert(step.stack[depth - 1]);
                break;
            case kBalance:
            case kExtCodeSize:
            case kExtCodeCopy:
            case kExtCodeHash:
            case kSelfDestruct:
                if (depth >= 1) touch(step.stack[depth - 1]);
                break;
            case kCall:
            case kCallCode:
            case kDelegateCall:
            case kStaticCall:
                if (depth >= 2) touch(step.stack[depth - 2]);
                break;
            default:
                break;
        }
    }
    const Touched& touched() const { return touched_; }

  private:
    void touch(const core::U256& word) {
        const Address address = address_of(word);
        if (!excluded_.contains(address)) touched_.try_emplace(address);
    }

    const std::set<Address>& excluded_;
    Touched touched_;
};

Touched touched_of(const core::AccessList& list) {
    Touched touched;
    for (const core::AccessListEntry& entry : list) {
        auto& slots = touched[entry.address];
        for (const core::Hash32& key : entry.keys) slots.insert(core::U256::load_be32(key.data()));
    }
    return touched;
}

core::AccessList list_of(const Touched& touched) {
    core::AccessList list;
    for (const auto& [address, slots] : touched) {
        core::AccessListEntry& entry = list.emplace_back();
        entry.address = address;
        for (const core::U256& slot : slots) entry.keys.emplace_back(slot.to_be32());
    }
    return list;
}

constexpr uint64_t kPrecompilesEnd = 0x200;

/// Sender, recipient, precompiles and authorities: they are warm anyway.
std::set<Address> excluded_of(Execution& execution, const CallRequest& request) {
    std::set<Address> excluded = {request.from};
    if (request.to) {
        excluded.insert(*request.to);
    } else {
        const auto account = execution.state().account(request.from);
        excluded.insert(evm::create_address(request.from,
                                            request.nonce.value_or(account ? account->nonce : 0)));
    }
    for (uint64_t number = 1; number < kPrecompilesEnd; ++number) {
        const Address address = address_of(core::U256(number));
        if (evm::find_precompile(address, execution.env().rules.rules) != nullptr) {
            excluded.insert(address);
        }
    }
    if (request.authorizations) {
        for (const core::Authorization& one : *request.authorizations) {
            if (const auto authority = crypto::recover_authority(one)) excluded.insert(*authority);
        }
    }
    return excluded;
}

void write_list(JsonOut& out, const core::AccessList& list, const chain::TxOutcome& outcome) {
    out.begin_object();
    write_access_list(out, list);
    if (!outcome.succeeded()) {
        out.key("error");
        out.string(failure_of(outcome).message);
    }
    out.quantity("gasUsed", outcome.gas_used);
    out.end_object();
}

}  // namespace

Answer<void> create_access_list(Call& call) {
    Args args(call.params, 3);
    const auto object = args.object(0);
    const BlockSelector selector = args.block_or_latest(1);
    const auto state_object = args.optional_object(2);
    auto params = parse_call_params(args, object, state_object, std::nullopt);
    if (!params) return core::unexpected(params.error());
    CallRequest& request = params->request;
    if (!request.access_list) request.access_list.emplace();
    const auto id = call.snapshot().require(selector);
    if (!id) return core::unexpected(id.error());
    const auto execution = Execution::prepare(call, *id, *params);
    if (!execution) return core::unexpected(execution.error());
    const uint64_t cap = call.backend.call_gas_cap;
    const uint64_t gas = std::min(request.gas.value_or(cap), cap);
    const std::set<Address> excluded = excluded_of(**execution, request);
    const bool eip_1559 = (*execution)->env().rules.rules.eip_1559;
    Touched touched = touched_of(*request.access_list);
    for (;;) {
        // The list grows with each round, and what a call can touch is bounded by its gas.
        request.access_list = list_of(touched);
        TouchTracer tracer(excluded, touched);
        const auto outcome = [&] {
            const Watched watched((*execution)->workspace(), &tracer);
            return (*execution)->run(request.to_tx(gas, eip_1559));
        }();
        if (!outcome) return core::unexpected(refusal_of(outcome.error(), gas));
        if (tracer.touched() == touched) {
            write_list(call.out, *request.access_list, *outcome);
            return {};
        }
        touched = tracer.touched();
    }
}

}  // namespace keel::rpc::eth
