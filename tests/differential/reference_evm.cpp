#include "tests/differential/reference_evm.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "evm/precompiles/table.hpp"
#include "tests/differential/machine.hpp"

// Calls, creates and frames; the instructions are in reference_instructions.cpp.

namespace keel::differential {
namespace {

constexpr int kDepthMax = 1024;

/// EIP-7702: 0xef0100 and an address.
bool is_designator(ByteView code) {
    return code.size() == 23 && code[0] == 0xef && code[1] == 0x01 && code[2] == 0x00;
}

std::vector<bool> find_jump_targets(ByteView code) {
    std::vector<bool> targets(code.size());
    for (size_t at = 0; at < code.size(); ++at) {
        if (code[at] == 0x5b) targets[at] = true;
        if (code[at] >= 0x60 && code[at] <= 0x7f) at += code[at] - 0x5fu;
    }
    return targets;
}

}  // namespace

void ReferenceEvm::touch(const Address& address) {
    World::Account& account = world_.account(address);
    account.touched = true;
    if (!rules_.eip_158) account.exists = true;
}

void ReferenceEvm::transfer(const Address& from, const Address& to, const U256& value) {
    touch(to);
    if (value == U256()) return;
    World::Account& payer = world_.account(from);
    payer.balance = payer.balance - value;
    World::Account& payee = world_.account(to);
    payee.balance = payee.balance + value;
    payee.exists = true;
}

bool ReferenceEvm::access(const Address& address) {
    World::Account& account = world_.account(address);
    const bool cold = !account.warm;
    account.warm = true;
    return cold && !(tx_.precompiles_are_warm && is_precompile(address));
}

bool ReferenceEvm::access_slot(const Address& address, const U256& key) {
    World::Slot& slot = world_.slot(address, key);
    return !std::exchange(slot.warm, true);
}

bool ReferenceEvm::dead(const Address& address) const {
    const World::Account* const account = world_.find(address);
    return account == nullptr || !account->exists || account->empty();
}

bool ReferenceEvm::exists(const Address& address) const {
    const World::Account* const account = world_.find(address);
    return account != nullptr && account->exists;
}

bool ReferenceEvm::is_precompile(const Address& address) const {
    return evm::find_precompile(address, rules_) != nullptr;
}

ByteView ReferenceEvm::code_of(const Address& address) const {
    const World::Account* const account = world_.find(address);
    return account == nullptr ? ByteView() : account->code;
}

U256 ReferenceEvm::balance(const Address& address) const {
    const World::Account* const account = world_.find(address);
    return account == nullptr ? U256() : account->balance;
}

Ended ReferenceEvm::execute(const Call& call) {
    Ended ended;
    const bool takes_value =
        call.kind == Kind::Call || call.kind == Kind::CallCode || call.kind == Kind::Create;
    if (call.depth > kDepthMax || (takes_value && balance(call.sender) < call.value)) {
        ended = {Ending::NotStarted, call.gas, {}};
    } else {
        ended = call.kind == Kind::Create ? create(call) : message_call(call);
    }
    if (on_end) on_end(call, ended);
    // The code that a create leaves is told to who watches, but it is no return data.
    if (call.kind == Kind::Create && ended.ending == Ending::Success) ended.output.clear();
    return ended;
}

Ended ReferenceEvm::message_call(const Call& call) {
    World::Rows before = world_.snapshot();
    if (call.kind == Kind::Call) transfer(call.sender, call.recipient, call.value);
    if (call.kind == Kind::StaticCall) touch(call.recipient);

    Ended ended{Ending::Success, call.gas, {}};
    if (const auto* const precompile = evm::find_precompile(call.code_address, rules_)) {
        const auto result =
            evm::run_precompile(*precompile, call.input, call.gas, rules_, ended.output);
        const bool failed = result.status == evm::PrecompileStatus::Failure;
        if (failed) ended.output.clear();
        ended.ending = failed ? Ending::Halt : Ending::Success;
        ended.gas_left = failed ? 0 : result.gas_left;
    } else {
        ByteView code = code_of(call.code_address);
        if (rules_.eip_7702 && is_designator(code)) {
            const Address delegate(code.sub(3));
            code = is_precompile(delegate) ? ByteView() : code_of(delegate);
        }
        if (!code.empty()) ended = run(call, code);
    }
    if (ended.ending != Ending::Success) world_.restore(std::move(before));
    return ended;
}

Ended ReferenceEvm::create(const Call& call) {
    const Address& created = call.recipient;
    if (rules_.eip_2929) access(created);
    const World::Account* const old = world_.find(created);
    if ((old != nullptr && (old->nonce != 0 || !old->code.empty())) ||
        world_.has_storage(created)) {
        return {Ending::Halt, 0, {}};
    }
    World::Rows before = world_.snapshot();
    World::Account& account = world_.account(created);
    account.exists = account.created = account.touched = true;
    account.nonce = rules_.eip_158 ? 1 : 0;
    transfer(call.sender, created, call.value);

    Call running = call;
    running.input.clear();
    Ended ended{Ending::Success, call.gas, {}};
    if (!call.input.empty()) ended = run(running, call.input);
    if (ended.ending == Ending::Success) {
        const Bytes code = ended.output;
        const auto price = static_cast<int64_t>(200 * code.size());
        const bool refused = (rules_.eip_3541 && !code.empty() && code[0] == 0xef) ||
                             (rules_.eip_170 && code.size() > 24576) ||
                             (rules_.eip_2 && price > ended.gas_left);
        if (refused) {
            ended = {Ending::Halt, 0, {}};
        } else if (price <= ended.gas_left) {
            ended.gas_left -= price;
            world_.account(created).code = world_.keep_code(code);
        }  // else, in Frontier: no code, nothing paid
    }
    if (ended.ending != Ending::Success) world_.restore(std::move(before));
    return ended;
}

Ended ReferenceEvm::run(const Call& call, ByteView code) {
    Machine m{call, code, find_jump_targets(code), 0, call.gas, {}, {}, {}, {}};
    try {
        for (;;) {
            const uint8_t op = m.pc < code.size() ? code[m.pc] : 0;
            if (on_step) on_step(m, op);
            if (!step(m, op)) return {Ending::Success, m.gas, std::move(m.output)};
        }
    } catch (const Halted&) {
        return {Ending::Halt, 0, {}};
    } catch (const Reverted&) {
        return {Ending::Revert, m.gas, std::move(m.output)};
    }
}

void ReferenceEvm::call(Machine& m, uint8_t op) {
    const Kind kind = op == 0xf1   ? Kind::Call
                      : op == 0xf2 ? Kind::CallCode
                      : op == 0xf4 ? Kind::DelegateCall
                                   : Kind::StaticCall;
    const U256 requested = pop(m);
    const Address target = to_address(pop(m));
    const bool has_operand = kind == Kind::Call || kind == Kind::CallCode;
    const U256 value = has_operand ? pop(m) : U256();
    const U256 in = pop(m), in_length = pop(m), out = pop(m), out_length = pop(m);
    const bool pays = value != U256();
    m.return_data.clear();
    if (m.call.is_static && kind == Kind::Call && pays) throw Halted();

    charge(m, account_price(target, 40, 700, 700));
    grow_memory(m, in, in_length, out, out_length);
    if (pays) charge(m, 9000);
    if (kind == Kind::Call) {
        if (rules_.eip_158 ? pays && dead(target) : !exists(target)) charge(m, 25000);
    }
    if (rules_.eip_7702 && is_designator(code_of(target))) {
        charge(m, access(Address(code_of(target).sub(3))) ? 2600 : 100);
    }
    int64_t handed = 0;
    if (rules_.eip_150) {
        const int64_t most = m.gas - m.gas / 64;
        handed = requested < U256(static_cast<uint64_t>(most))
                     ? static_cast<int64_t>(requested.limbs[0])
                     : most;
    } else {
        if (requested > U256(static_cast<uint64_t>(m.gas))) throw Halted();
        handed = static_cast<int64_t>(requested.limbs[0]);
    }
    charge(m, handed);

    Call child;
    child.kind = kind;
    child.is_static = m.call.is_static || kind == Kind::StaticCall;
    child.depth = m.call.depth + 1;
    child.gas = handed + (pays ? 2300 : 0);
    child.code_address = target;
    child.input = read_memory(m, in, in_length);
    switch (kind) {
        case Kind::Call:
        case Kind::StaticCall:
            child.sender = m.call.recipient;
            child.recipient = target;
            child.value = value;
            break;
        case Kind::CallCode:
            child.sender = child.recipient = m.call.recipient;
            child.value = value;
            break;
        default:
            child.sender = m.call.sender;
            child.recipient = m.call.recipient;
            child.value = m.call.value;
            break;
    }
    const Ended ended = execute(child);
    m.gas += ended.gas_left;
    m.return_data = ended.output;
    if (out_length != U256()) {
        const size_t count = std::min<size_t>(ended.output.size(), out_length.limbs[0]);
        std::copy_n(ended.output.begin(), count, m.memory.begin() + to_offset(out));
    }
    push(m, ended.ending == Ending::Success ? 1 : 0);
}

void ReferenceEvm::create_from_code(Machine& m, bool salted) {
    const U256 value = pop(m), offset = pop(m), length = pop(m);
    const U256 salt = salted ? pop(m) : U256();
    if (m.call.is_static) throw Halted();
    m.return_data.clear();
    charge(m, 32000);
    grow_memory(m, offset, length);
    if (rules_.eip_3860) {
        if (length > U256(49152)) throw Halted();
        charge(m, 2 * words(length));
    }
    if (salted) charge(m, 6 * words(length));

    World::Account& creator = world_.account(m.call.recipient);
    if (m.call.depth + 1 > kDepthMax || creator.balance < value || creator.nonce == UINT64_MAX) {
        Call refused;
        refused.kind = Kind::Create;
        refused.depth = m.call.depth + 1;
        refused.gas = rules_.eip_150 ? m.gas - m.gas / 64 : m.gas;
        if (on_end) on_end(refused, {Ending::NotStarted, refused.gas, {}});
        push(m, 0);
        return;
    }
    Call child;
    child.kind = Kind::Create;
    child.depth = m.call.depth + 1;
    child.gas = rules_.eip_150 ? m.gas - m.gas / 64 : m.gas;
    child.sender = m.call.recipient;
    child.value = value;
    child.input = read_memory(m, offset, length);
    m.gas -= child.gas;
    const uint64_t nonce = creator.nonce++;
    Bytes preimage;
    if (salted) {
        preimage.push_back(0xff);
        core::append(preimage, child.sender);
        core::append(preimage, salt.to_be32());
        core::append(preimage, crypto::keccak256(child.input));
    } else {
        const size_t begin = core::rlp_begin_list(preimage);
        core::rlp_append_string(preimage, child.sender);
        core::rlp_append_uint(preimage, nonce);
        core::rlp_end_list(preimage, begin);
    }
    child.recipient = Address(crypto::keccak256(preimage).view().sub(12));

    const Ended ended = execute(child);
    m.gas += ended.gas_left;
    if (ended.ending == Ending::Revert) m.return_data = ended.output;
    push(m, ended.ending == Ending::Success ? to_word(child.recipient) : U256());
}

void ReferenceEvm::self_destruct(Machine& m) {
    const Address heir = to_address(pop(m));
    if (m.call.is_static) throw Halted();
    const Address& self = m.call.recipient;
    const U256 wei = balance(self);
    if (rules_.eip_150) charge(m, 5000);
    if (rules_.eip_2929 && access(heir)) charge(m, 2600);
    if (rules_.eip_150) {
        if (rules_.eip_158 ? wei != U256() && dead(heir) : !exists(heir)) charge(m, 25000);
    }
    const bool goes = !rules_.eip_6780 || world_.account(self).created;
    transfer(self, heir, wei);
    if (!goes) return;
    World::Account& account = world_.account(self);
    if (heir == self) account.balance = {};
    if (!std::exchange(account.destructed, true) && !rules_.eip_3529) world_.rows.refund += 24000;
}

}  // namespace keel::differential
