#include "rpc/debug/tracers/prestate.hpp"

#include <utility>

#include "core/hex.hpp"
#include "core/types/account.hpp"
#include "crypto/recover.hpp"
#include "evm/call.hpp"
#include "evm/opcodes.hpp"
#include "rpc/debug/failed_step.hpp"
#include "rpc/members.hpp"

namespace keel::rpc::debug {

using core::Address;
using core::U256;
using evm::Op;

namespace {

Address address_of(const U256& word) {
    return Address(core::ByteView(word.to_be32()).sub(12));
}

bool is_call(Op op) {
    return op == Op::CALL || op == Op::CALLCODE || op == Op::DELEGATECALL || op == Op::STATICCALL;
}

bool reads_account(Op op) {
    return op == Op::BALANCE || op == Op::EXTCODESIZE || op == Op::EXTCODECOPY ||
           op == Op::EXTCODEHASH;
}

}  // namespace

PrestateTracer::PrestateTracer(const TracedTx& traced, const PrestateOptions& options)
    : NamedTracer(traced), options_(options) {
    look_up(traced.sender);
    if (traced.tx.to) {
        look_up_delegate(*traced.tx.to);
        look_up(*traced.tx.to);
    }
    look_up(traced.env.context.coinbase);
    for (const core::Authorization& authorization : traced.tx.authorizations) {
        if (const auto authority = crypto::recover_authority(authorization)) look_up(*authority);
    }
}

PrestateTracer::Account PrestateTracer::read(const Address& address) const {
    state::Journal& journal = traced().journal;
    Account account;
    account.balance = journal.balance(address);
    if (const uint64_t nonce = journal.nonce(address); nonce != 0) account.nonce = nonce;
    const core::ByteView code = journal.code(address);
    if (!code.empty()) {
        account.code_hash = journal.code_hash(address);
        if (options_.with_code) account.code = code.to_bytes();
    }
    account.empty = account.balance->is_zero() && !account.nonce && code.empty();
    return account;
}

void PrestateTracer::look_up(const Address& address) {
    if (!before_.contains(address)) before_.emplace(address, read(address));
}

void PrestateTracer::look_up_delegate(const Address& address) {
    if (!traced().rules().eip_7702) return;
    if (const auto delegate = evm::delegate_of(traced().journal.code(address))) look_up(*delegate);
}

void PrestateTracer::enter(const evm::Message& message) {
    if (message.kind == evm::CallKind::Create) look_up(message.recipient);
}

void PrestateTracer::step(const evm::Step& step) {
    tick();
    op_ = step.op;
    const auto op = static_cast<Op>(step.op);
    const size_t size = step.stack.size();
    const bool is_slot = op == Op::SLOAD || op == Op::SSTORE;
    const size_t operands = is_call(op) ? 5 : 1;
    if (!(is_slot || is_call(op) || reads_account(op) || op == Op::SELFDESTRUCT) ||
        size < operands) {
        op_ = 0;
        return;
    }
    self_ = step.message.recipient;
    operand_ = step.stack[size - (is_call(op) ? 2 : 1)];
    if (is_slot) value_ = step.evm.host.storage(self_, operand_);
    if (op == Op::SELFDESTRUCT) to_ = read(address_of(operand_));
}

void PrestateTracer::charged(int64_t) {
    commit();
}

void PrestateTracer::fault(evm::Status status) {
    if (FailedStep::is_found_in_execution(status)) commit();
    op_ = 0;
}

void PrestateTracer::commit() {
    const auto op = static_cast<Op>(std::exchange(op_, uint8_t{0}));
    if (op == Op::STOP) return;
    if (op == Op::SLOAD || op == Op::SSTORE) {
        if (options_.with_storage) before_[self_].storage.emplace(operand_, value_);
        return;
    }
    const Address address = address_of(operand_);
    if (op == Op::SELFDESTRUCT) {
        before_.emplace(address, *std::move(to_));
        destructed_.insert(self_);
        return;
    }
    look_up(address);
    if (is_call(op)) look_up_delegate(address);
}

std::optional<PrestateTracer::Account> PrestateTracer::difference(const Address& address,
                                                                  Account& before) const {
    const Account now = read(address);
    Account changed;
    changed.empty = true;  // nothing differs
    if (now.balance != before.balance) {
        changed.balance = now.balance;
        changed.empty = false;
    }
    if (now.nonce != before.nonce) {
        changed.nonce = now.nonce.value_or(0);
        changed.empty = false;
    }
    if (now.code_hash != before.code_hash) {
        changed.code_hash = now.code_hash.value_or(core::kEmptyCodeHash);
        if (options_.with_code) changed.code = now.code.value_or(core::Bytes());
        changed.empty = false;
    }
    for (auto slot = before.storage.begin(); slot != before.storage.end();) {
        const U256 value = traced().journal.storage(address, slot->first);
        const bool differs = value != slot->second;
        if (differs) changed.empty = false;
        if (differs && !value.is_zero()) changed.storage.emplace(slot->first, value);
        // Before, a slot that was zero is not said.
        slot = differs && !slot->second.is_zero() ? std::next(slot) : before.storage.erase(slot);
    }
    if (changed.empty) return std::nullopt;
    return changed;
}

PrestateTracer::Accounts PrestateTracer::take_differences() {
    Accounts after;
    for (auto each = before_.begin(); each != before_.end();) {
        auto& [address, account] = *each;
        // One that is gone is said as it was, and no more.
        if (destructed_.contains(address) && !traced().journal.account_exists(address)) {
            ++each;
            continue;
        }
        if (auto changed = difference(address, account)) {
            after.emplace(address, *std::move(changed));
            ++each;
        } else {
            each = before_.erase(each);
        }
    }
    return after;
}

void PrestateTracer::write(JsonOut& out, const chain::TxOutcome&) {
    Accounts after;
    if (options_.diff_mode) after = take_differences();
    if (!options_.with_empty) {
        std::erase_if(before_, [](const auto& each) { return each.second.empty; });
    }
    if (!options_.diff_mode) {
        write_accounts(out, before_);
        return;
    }
    out.begin_object();
    out.key("post");
    write_accounts(out, after);
    out.key("pre");
    write_accounts(out, before_);
    out.end_object();
}

void PrestateTracer::write_accounts(JsonOut& out, const Accounts& accounts) {
    out.begin_object();
    for (const auto& [address, account] : accounts) {
        out.key(core::to_hex_prefixed(address));
        out.begin_object();
        if (account.balance) out.quantity("balance", *account.balance);
        if (account.code) out.data("code", *account.code);
        if (account.code_hash) out.data("codeHash", *account.code_hash);
        if (account.nonce) {
            out.key("nonce");
            out.number(*account.nonce);
        }
        if (!account.storage.empty()) {
            out.key("storage");
            out.begin_object();
            for (const auto& [slot, value] : account.storage) {
                out.key(core::to_hex_prefixed(slot.to_be32()));
                out.data(value.to_be32());
            }
            out.end_object();
        }
        out.end_object();
    }
    out.end_object();
}

Answer<TracerFactory> find_prestate_tracer(std::optional<JsonValue> config) {
    PrestateOptions options;
    if (config) {
        bool without_code = false;
        bool without_storage = false;
        Members members(*config);
        members.read("diffMode", to_bool, options.diff_mode);
        members.read("disableCode", to_bool, without_code);
        members.read("disableStorage", to_bool, without_storage);
        members.read("includeEmpty", to_bool, options.with_empty);
        if (members.error()) return core::unexpected(*members.error());
        options.with_code = !without_code;
        options.with_storage = !without_storage;
        if (options.diff_mode && options.with_empty) {
            return fail(Code::Failed, "cannot use diffMode with includeEmpty");
        }
    }
    return TracerFactory([options](const TracedTx& traced) {
        return std::make_unique<PrestateTracer>(traced, options);
    });
}

}  // namespace keel::rpc::debug
