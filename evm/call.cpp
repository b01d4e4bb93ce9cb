#include "evm/call.hpp"

#include <cstdlib>
#include <new>

#include "core/clock.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "evm/interpreter.hpp"
#include "evm/precompiles/table.hpp"

namespace keel::evm {

using core::Address;
using core::ByteView;
using core::U256;

namespace {

constexpr size_t kStackBytes = sizeof(U256) * kStackWords * (kMaxDepth + 1);
constexpr size_t kCodeCacheBytes = size_t{64} << 20;
/// Words above the stack of a frame that its traces use for values in between.
constexpr size_t kSlackBytes = sizeof(U256) * kStackWords;

/// Translating an instruction (30 ns) costs as much as some 15 runs in the plain interpreter lose.
#ifndef KEEL_EVM_HEAT
#define KEEL_EVM_HEAT 16  // 0 in builds that try translated code on every fixture
#endif

Address low_20_bytes(const core::Hash32& hash) noexcept {
    return Address(hash.view().sub(12));
}

}  // namespace

Address create_address(const Address& sender, uint64_t nonce) {
    core::Bytes payload;
    payload.reserve(32);
    const size_t begin = core::rlp_begin_list(payload);
    core::rlp_append_string(payload, sender);
    core::rlp_append_uint(payload, nonce);
    core::rlp_end_list(payload, begin);
    return low_20_bytes(crypto::keccak256(payload));
}

Address create2_address(const Address& sender, const U256& salt, ByteView init_code) {
    std::array<uint8_t, 1 + 20 + 32 + 32> preimage;
    preimage[0] = 0xff;
    std::memcpy(preimage.data() + 1, sender.data(), 20);
    salt.store_be32(preimage.data() + 21);
    const core::Hash32 code_hash = crypto::keccak256(init_code);
    std::memcpy(preimage.data() + 53, code_hash.data(), 32);
    return low_20_bytes(crypto::keccak256(ByteView(preimage)));
}

std::optional<Address> delegate_of(ByteView code) noexcept {
    if (code.size() != 23 || code[0] != 0xef || code[1] != 0x01 || code[2] != 0x00) return {};
    return Address(code.sub(3));
}

// Not touched here, so that only the depth in use takes memory.
Workspace::Workspace()
    : stack_(static_cast<U256*>(std::aligned_alloc(64, kStackBytes + kSlackBytes))),
      slots_(kMaxDepth + 1),
      codes_(kCodeCacheBytes),
      heat_before_translation_(KEEL_EVM_HEAT),
      op_table_(make_op_table(op_table_rules_)) {
    if (stack_ == nullptr) throw std::bad_alloc();
}

void Workspace::Unmap::operator()(U256* words) const noexcept {
    std::free(words);
}

Workspace::Slot& Workspace::slot(int32_t depth) {
    auto& slot = slots_[static_cast<size_t>(depth)];
    if (slot == nullptr) slot = std::make_unique<Slot>();
    return *slot;
}

const OpTable& Workspace::op_table(const core::ForkRules& rules) noexcept {
    if (rules != op_table_rules_) {
        op_table_ = make_op_table(rules);
        codes_.clear();
        op_table_rules_ = rules;
    }
    return op_table_;
}

Evm::Evm(Workspace& workspace_, Host& host_, const core::ForkRules& rules_,
         const BlockContext& block_, const TxContext& tx_)
    : workspace(workspace_),
      host(host_),
      rules(rules_),
      block(block_),
      tx(tx_),
      op_table(workspace_.op_table(rules_)),
      tracer(workspace_.tracer()),
      deadline_ms(workspace_.deadline_ms()) {}

void Evm::look_at_clock() const {
    if (core::monotonic_coarse_ms() >= deadline_ms) throw TimeOver();
}

CallResult Evm::run_message(const Message& message, U256* stack) {
    if (has_deadline()) [[unlikely]]
        look_at_clock();
    if (tracer != nullptr) [[unlikely]]
        tracer->enter(message);
    CallResult result = start(message, stack);
    if (tracer != nullptr) [[unlikely]]
        tracer->exit(message, result);
    // Only a tracer is told of the code that a create leaves.
    if (message.kind == CallKind::Create && result.status == Status::Success) result.output = {};
    return result;
}

CallResult Evm::start(const Message& message, U256* stack) {
    if (message.depth > kMaxDepth) return {Status::DepthExceeded, message.gas, {}};
    const bool moves_value = message.kind == CallKind::Call || message.kind == CallKind::CallCode ||
                             message.kind == CallKind::Create;
    if (moves_value && !message.value.is_zero() && host.balance(message.sender) < message.value) {
        return {Status::InsufficientBalance, message.gas, {}};
    }
    return message.kind == CallKind::Create ? create(message, stack) : call(message, stack);
}

const Precompile* Evm::precompile_at(const Address& address) const {
    if (const PrecompileOverrides* const overrides = workspace.precompile_overrides()) {
        const auto found = overrides->find(address);
        if (found != overrides->end()) return found->second;
    }
    return find_precompile(address, rules);
}

CallResult Evm::call_precompile(const Message& message, bool& is_precompile) {
    const Precompile* precompile = precompile_at(message.code_address);
    is_precompile = precompile != nullptr;
    if (!is_precompile) return {};
    core::Bytes& output = workspace.slot(message.depth).precompile_output;
    const PrecompileResult result =
        run_precompile(*precompile, message.input, message.gas, rules, output);
    if (result.status == PrecompileStatus::Failure) {
        return {result.unpaid ? Status::OutOfGas : Status::PrecompileFailure, 0, {}};
    }
    return {Status::Success, result.gas_left, output};
}

CallResult Evm::call(const Message& message, U256* stack) {
    const size_t snapshot = host.snapshot();
    if (message.kind == CallKind::Call) {
        host.transfer(message.sender, message.recipient, message.value);
    } else if (message.kind == CallKind::StaticCall) {
        host.touch(message.recipient);
    }
    bool is_precompile = false;
    CallResult result = call_precompile(message, is_precompile);
    if (!is_precompile) result = run_code(message, stack);
    if (result.status != Status::Success) host.revert(snapshot);
    return result;
}

CallResult Evm::run_code(const Message& message, U256* stack) {
    Address code_address = message.code_address;
    ByteView code = host.code(code_address);
    if (rules.eip_7702) {
        if (const auto delegate = delegate_of(code)) {
            code_address = *delegate;
            code = precompile_at(code_address) != nullptr ? ByteView{} : host.code(code_address);
        }
    }
    if (code.empty()) return {Status::Success, message.gas, {}};
    const PinnedCode known(workspace.codes().find(host.code_hash(code_address), code));
    return interpret(*this, message, code, *known, stack);
}

CallResult Evm::create(const Message& message, U256* stack) {
    const Address& created = message.recipient;
    if (rules.eip_2929) host.access_account(created);
    // EIP-684, EIP-7610; a balance is no obstacle.
    if (host.nonce(created) != 0 || !host.code(created).empty() || host.has_storage(created)) {
        return {Status::CreateCollision, 0, {}};
    }
    const size_t snapshot = host.snapshot();
    host.create_account(created, rules.eip_158 ? 1 : 0);
    host.transfer(message.sender, created, message.value);
    Message running = message;
    running.input = {};
    CallResult result{Status::Success, message.gas, {}};
    if (!message.input.empty()) {
        const auto known = std::make_unique<Code>(message.input);
        result = interpret(*this, running, message.input, *known, stack);
    }
    if (result.status == Status::Success) {
        result.status = deposit_code(message, result);
        if (result.status != Status::Success) {
            result.gas_left = 0;
            result.output = {};
        }
    }
    if (result.status != Status::Success) host.revert(snapshot);
    return result;
}

Status Evm::deposit_code(const Message& message, CallResult& result) {
    const ByteView code = result.output;
    if (rules.eip_3541 && !code.empty() && code[0] == 0xef) return Status::InvalidCode;
    if (rules.eip_170 && code.size() > kMaxCode) return Status::CodeTooLarge;
    const int64_t price = kCodeByte * static_cast<int64_t>(code.size());
    if (price > result.gas_left) {
        // Frontier: the account stays without code and the gas is kept (EIP-2).
        return rules.eip_2 ? Status::CodeUnpaid : Status::Success;
    }
    result.gas_left -= price;
    host.set_code(message.recipient, code);
    return Status::Success;
}

}  // namespace keel::evm
