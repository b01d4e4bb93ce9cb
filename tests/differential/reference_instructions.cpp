#include <algorithm>
#include <string>

#include "crypto/keccak.hpp"
#include "tests/differential/arithmetic.hpp"
#include "tests/differential/machine.hpp"
#include "tests/differential/reference_evm.hpp"

// Source: yellow paper, appendix H, and the EIPs named by the flags.

namespace keel::differential {
namespace {

/// `count` bytes of the source from `offset` on, zeros where it has ended.
void copy_padded(uint8_t* to, ByteView source, const U256& offset, uint64_t count) {
    const bool inside = less(offset, U256(source.size()));
    for (uint64_t i = 0; i < count; ++i) {
        const bool there = inside && offset.limbs[0] + i < source.size();
        to[i] = there ? source[offset.limbs[0] + i] : 0;
    }
}

U256 load_word(ByteView source, const U256& offset) {
    uint8_t bytes[32];
    copy_padded(bytes, source, offset, 32);
    return U256::load_be32(bytes);
}

void need(bool rule) {
    if (!rule) throw Halted();
}

}  // namespace

bool ReferenceEvm::step(Machine& m, uint8_t op) {
    ++m.pc;
    if (op == 0x00) return false;
    if (op <= 0x1e) {
        compute(m, op);
    } else if (op == 0x20) {
        const U256 offset = pop(m), length = pop(m);
        charge(m, 30);
        grow_memory(m, offset, length);
        charge(m, 6 * words(length));
        push(m, U256::from_be(crypto::keccak256(read_memory(m, offset, length))));
    } else if (op >= 0x30 && op <= 0x3f) {
        copy_or_inspect(m, op);
    } else if (op >= 0x40 && op <= 0x4a) {
        read_environment(m, op);
    } else if (op == 0x50) {
        charge(m, 2);
        pop(m);
    } else if (op == 0x54 || op == 0x55 || op == 0x5c || op == 0x5d) {
        use_storage(m, op);
    } else if (op == 0x56 || op == 0x57 || op == 0x5b) {
        jump(m, op);
    } else if (op >= 0x51 && op <= 0x5e) {
        use_memory(m, op);
    } else if (op >= 0x5f && op <= 0x7f) {
        if (op == 0x5f) need(rules_.eip_3855);
        charge(m, op == 0x5f ? 2 : 3);
        uint8_t bytes[32] = {};
        const unsigned count = op - 0x5fu;
        copy_padded(bytes + 32 - count, m.code, U256(m.pc), count);
        m.pc += count;
        push(m, U256::load_be32(bytes));
    } else if (op >= 0x80 && op <= 0x8f) {
        charge(m, 3);
        const size_t depth = op - 0x7fu;
        need(m.stack.size() >= depth);
        push(m, m.stack[m.stack.size() - depth]);
    } else if (op >= 0x90 && op <= 0x9f) {
        charge(m, 3);
        const size_t depth = op - 0x8fu;
        need(m.stack.size() > depth);
        std::swap(m.stack.back(), m.stack[m.stack.size() - 1 - depth]);
    } else if (op >= 0xa0 && op <= 0xa4) {
        log(m, op - 0xa0u);
    } else if (op == 0xf0 || op == 0xf5) {
        if (op == 0xf5) need(rules_.eip_1014);
        create_from_code(m, op == 0xf5);
    } else if (op == 0xf1 || op == 0xf2 || op == 0xf4 || op == 0xfa) {
        if (op == 0xf4) need(rules_.eip_7);
        if (op == 0xfa) need(rules_.eip_214);
        call(m, op);
    } else if (op == 0xf3 || op == 0xfd) {
        if (op == 0xfd) need(rules_.eip_140);
        const U256 offset = pop(m), length = pop(m);
        grow_memory(m, offset, length);
        m.output = read_memory(m, offset, length);
        if (op == 0xfd) throw Reverted();
        return false;
    } else if (op == 0xff) {
        self_destruct(m);
        return false;
    } else {
        throw Halted();
    }
    return true;
}

void ReferenceEvm::compute(Machine& m, uint8_t op) {
    if (op == 0x0a) {
        const U256 base = pop(m), exponent = pop(m);
        charge(m, 10 + (rules_.eip_160 ? 50 : 10) * significant_bytes(exponent));
        return push(m, power(base, exponent));
    }
    if (op == 0x08 || op == 0x09) {
        charge(m, 8);
        const U256 a = pop(m), b = pop(m), modulus = pop(m);
        return push(m, op == 0x08 ? add_modulo(a, b, modulus) : multiply_modulo(a, b, modulus));
    }
    if (op == 0x15 || op == 0x19 || op == 0x1e) {
        if (op == 0x1e) need(rules_.eip_7939);
        charge(m, op == 0x1e ? 5 : 3);
        const U256 a = pop(m);
        if (op == 0x15) return push(m, a == U256() ? 1 : 0);
        return push(m, op == 0x19 ? subtract(U256::max(), a) : count_leading_zeros(a));
    }
    need(op <= 0x0b || (op >= 0x10 && op <= 0x1d));
    if (op >= 0x1b) need(rules_.eip_145);
    const bool dear = op == 0x02 || (op >= 0x04 && op <= 0x07) || op == 0x0b;
    charge(m, dear ? 5 : 3);
    const U256 a = pop(m), b = pop(m);
    const auto bitwise = [&](auto&& combine) {
        auto bytes = a.to_be32();
        const auto other = b.to_be32();
        for (size_t i = 0; i < 32; ++i)
            bytes[i] = static_cast<uint8_t>(combine(bytes[i], other[i]));
        return U256::load_be32(bytes.data());
    };
    switch (op) {
        case 0x01:
            return push(m, add(a, b));
        case 0x02:
            return push(m, multiply(a, b));
        case 0x03:
            return push(m, subtract(a, b));
        case 0x04:
            return push(m, divide(a, b));
        case 0x05:
            return push(m, divide_signed(a, b));
        case 0x06:
            return push(m, modulo(a, b));
        case 0x07:
            return push(m, modulo_signed(a, b));
        case 0x0b:
            return push(m, extend_sign(a, b));
        case 0x10:
            return push(m, less(a, b) ? 1 : 0);
        case 0x11:
            return push(m, less(b, a) ? 1 : 0);
        case 0x12:
            return push(m, less_signed(a, b) ? 1 : 0);
        case 0x13:
            return push(m, less_signed(b, a) ? 1 : 0);
        case 0x14:
            return push(m, subtract(a, b) == U256() ? 1 : 0);
        case 0x16:
            return push(m, bitwise([](int x, int y) { return x & y; }));
        case 0x17:
            return push(m, bitwise([](int x, int y) { return x | y; }));
        case 0x18:
            return push(m, bitwise([](int x, int y) { return x ^ y; }));
        case 0x1a:
            return push(m, byte_at(a, b));
        case 0x1b:
            return push(m, shift_left(a, b));
        case 0x1c:
            return push(m, shift_right(a, b));
        default:
            return push(m, shift_right_signed(a, b));
    }
}

int64_t ReferenceEvm::account_price(const Address& address, int64_t frontier, int64_t tangerine,
                                    int64_t istanbul) {
    if (rules_.eip_2929) return access(address) ? 2600 : 100;
    if (rules_.eip_1884) return istanbul;
    return rules_.eip_150 ? tangerine : frontier;
}

void ReferenceEvm::copy_or_inspect(Machine& m, uint8_t op) {
    switch (op) {
        case 0x30:
            charge(m, 2);
            return push(m, to_word(m.call.recipient));
        case 0x31: {
            const Address of = to_address(pop(m));
            charge(m, account_price(of, 20, 400, 700));
            return push(m, balance(of));
        }
        case 0x32:
            charge(m, 2);
            return push(m, to_word(tx_.origin));
        case 0x33:
            charge(m, 2);
            return push(m, to_word(m.call.sender));
        case 0x34:
            charge(m, 2);
            return push(m, m.call.value);
        case 0x35:
            charge(m, 3);
            return push(m, load_word(m.call.input, pop(m)));
        case 0x36:
            charge(m, 2);
            return push(m, m.call.input.size());
        case 0x38:
            charge(m, 2);
            return push(m, m.code.size());
        case 0x3a:
            charge(m, 2);
            return push(m, tx_.gas_price);
        case 0x3b: {
            const Address of = to_address(pop(m));
            charge(m, account_price(of, 20, 700, 700));
            return push(m, code_of(of).size());
        }
        case 0x3d:
            need(rules_.eip_211);
            charge(m, 2);
            return push(m, m.return_data.size());
        case 0x3f: {
            need(rules_.eip_1052);
            const Address of = to_address(pop(m));
            charge(m, account_price(of, 400, 400, 700));
            return push(m, dead(of) ? U256() : U256::from_be(crypto::keccak256(code_of(of))));
        }
        default:
            break;
    }
    // CALLDATACOPY, CODECOPY, EXTCODECOPY, RETURNDATACOPY.
    if (op == 0x3e) need(rules_.eip_211);
    ByteView source = op == 0x37 ? ByteView(m.call.input) : m.code;
    if (op == 0x3c) {
        const Address of = to_address(pop(m));
        charge(m, account_price(of, 20, 700, 700));
        source = code_of(of);
    } else {
        charge(m, 3);
    }
    const U256 to = pop(m), offset = pop(m), length = pop(m);
    if (op == 0x3e) {
        source = m.return_data;
        const U256 end = add(offset, length);
        need(!less(end, offset) && !less(U256(source.size()), end));
    }
    grow_memory(m, to, length);
    charge(m, 3 * words(length));
    if (length != U256()) {
        copy_padded(m.memory.data() + to_offset(to), source, offset, length.limbs[0]);
    }
}

void ReferenceEvm::read_environment(Machine& m, uint8_t op) {
    switch (op) {
        case 0x40: {
            charge(m, 20);
            const U256 number = pop(m);
            const bool past = less(number, U256(block_.number));
            const bool near = past && block_.number - number.limbs[0] <= 256;
            const std::string digits = std::to_string(number.limbs[0]);
            return push(m, near ? U256::from_be(crypto::keccak256(digits)) : U256());
        }
        case 0x41:
            charge(m, 2);
            return push(m, to_word(block_.coinbase));
        case 0x42:
            charge(m, 2);
            return push(m, block_.timestamp);
        case 0x43:
            charge(m, 2);
            return push(m, block_.number);
        case 0x44:
            charge(m, 2);
            return push(m, rules_.eip_4399 ? U256::from_be(block_.prev_randao) : block_.difficulty);
        case 0x45:
            charge(m, 2);
            return push(m, block_.gas_limit);
        case 0x46:
            need(rules_.eip_1344);
            charge(m, 2);
            return push(m, block_.chain_id);
        case 0x47:
            need(rules_.eip_1884);
            charge(m, 5);
            return push(m, balance(m.call.recipient));
        case 0x48:
            need(rules_.eip_3198);
            charge(m, 2);
            return push(m, block_.base_fee);
        case 0x49: {
            need(rules_.eip_4844);
            charge(m, 3);
            const U256 index = pop(m);
            const bool inside = less(index, U256(tx_.blob_hashes.size()));
            return push(m, inside ? U256::from_be(tx_.blob_hashes[index.limbs[0]]) : U256());
        }
        default:
            need(rules_.eip_7516);
            charge(m, 2);
            return push(m, block_.blob_base_fee);
    }
}

void ReferenceEvm::use_memory(Machine& m, uint8_t op) {
    switch (op) {
        case 0x51: {
            charge(m, 3);
            const U256 offset = pop(m);
            grow_memory(m, offset, 32);
            return push(m, load_word(m.memory, offset));
        }
        case 0x52: {
            charge(m, 3);
            const U256 offset = pop(m), word = pop(m);
            grow_memory(m, offset, 32);
            std::ranges::copy(word.to_be32(), m.memory.begin() + to_offset(offset));
            return;
        }
        case 0x53: {
            charge(m, 3);
            const U256 offset = pop(m), word = pop(m);
            grow_memory(m, offset, 1);
            m.memory[offset.limbs[0]] = word.to_be32()[31];
            return;
        }
        case 0x58:
            charge(m, 2);
            return push(m, m.pc - 1);
        case 0x59:
            charge(m, 2);
            return push(m, m.memory.size());
        case 0x5a:
            charge(m, 2);
            return push(m, static_cast<uint64_t>(m.gas));
        default: {
            need(rules_.eip_5656);
            charge(m, 3);
            const U256 to = pop(m), from = pop(m), length = pop(m);
            grow_memory(m, to, length, from, length);
            charge(m, 3 * words(length));
            const Bytes copied = read_memory(m, from, length);
            if (!copied.empty()) std::ranges::copy(copied, m.memory.begin() + to_offset(to));
            return;
        }
    }
}

void ReferenceEvm::use_storage(Machine& m, uint8_t op) {
    const Address& self = m.call.recipient;
    if (op == 0x54) {
        const U256 key = pop(m);
        if (rules_.eip_2929) {
            charge(m, access_slot(self, key) ? 2100 : 100);
        } else {
            charge(m, rules_.eip_1884 ? 800 : rules_.eip_150 ? 200 : 50);
        }
        return push(m, world_.slot(self, key).value);
    }
    if (op == 0x55) return store(m);
    need(rules_.eip_1153);
    charge(m, 100);
    const U256 key = pop(m);
    if (op == 0x5c) return push(m, world_.transient(self, key));
    const U256 value = pop(m);
    need(!m.call.is_static);
    world_.set_transient(self, key, value);
}

void ReferenceEvm::store(Machine& m) {
    const U256 key = pop(m), value = pop(m);
    need(!m.call.is_static);
    const Address& self = m.call.recipient;
    const U256 zero;
    int64_t& refund = world_.rows.refund;
    const bool net = rules_.eip_1283 || rules_.eip_2200;
    if (rules_.eip_2200) need(m.gas > 2300);
    if (rules_.eip_2929 && access_slot(self, key)) charge(m, 2100);
    const U256 now = world_.slot(self, key).value;
    const U256 first = world_.account(self).created ? zero : world_.slot(self, key).original;
    if (!net) {
        charge(m, now == zero && value != zero ? 20000 : 5000);
        if (now != zero && value == zero) refund += 15000;
        world_.slot(self, key).value = value;
        return;
    }
    // EIP-1283 and EIP-2200 differ in the price of what changes nothing; EIP-2929 takes the cold
    // access out of the price of a change; EIP-3529 lowers the refund of clearing.
    const int64_t idle = rules_.eip_2929 ? 100 : rules_.eip_2200 ? 800 : 200;
    const int64_t change = rules_.eip_2929 ? 2900 : 5000;
    const int64_t clearing = rules_.eip_3529 ? 4800 : 15000;
    if (now == value) {
        charge(m, idle);
        return;
    }
    if (now == first) {
        charge(m, first == zero ? 20000 : change);
        if (first != zero && value == zero) refund += clearing;
    } else {
        charge(m, idle);
        if (first != zero) {
            if (now == zero) refund -= clearing;
            if (value == zero) refund += clearing;
        }
        if (value == first) refund += (first == zero ? 20000 : change) - idle;
    }
    world_.slot(self, key).value = value;
}

void ReferenceEvm::jump(Machine& m, uint8_t op) {
    if (op == 0x5b) return charge(m, 1);
    charge(m, op == 0x56 ? 8 : 10);
    const U256 target = pop(m);
    if (op == 0x57 && pop(m) == U256()) return;
    need(less(target, U256(m.jump_targets.size())) && m.jump_targets[target.limbs[0]]);
    m.pc = target.limbs[0];
}

void ReferenceEvm::log(Machine& m, unsigned topics) {
    const U256 offset = pop(m), length = pop(m);
    core::Log entry;
    entry.address = m.call.recipient;
    for (unsigned i = 0; i < topics; ++i) entry.topics.emplace_back(pop(m).to_be32());
    need(!m.call.is_static);
    charge(m, 375 + 375 * static_cast<int64_t>(topics));
    grow_memory(m, offset, length);
    charge(m, 8 * static_cast<int64_t>(length.limbs[0]));
    entry.data = read_memory(m, offset, length);
    world_.logs.push_back(std::move(entry));
    world_.rows.log_count = world_.logs.size();
}

}  // namespace keel::differential
