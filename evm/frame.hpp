#pragma once

#include <algorithm>

#include "core/types/address.hpp"
#include "evm/blocks.hpp"
#include "evm/call.hpp"
#include "evm/memory.hpp"
#include "evm/message.hpp"

namespace keel::evm {

/// A few milliseconds of the slowest instructions.
inline constexpr int64_t kGasBetweenLooks = 250'000;

/// One activation of code. Handlers of the less simple instructions get it together with `top`,
/// the address behind the uppermost word: operand 1 is top[-1]. They check and charge, write
/// their result over the lowest operand (or at top[0] if they have none) and leave the stack
/// pointer to the loop.
struct Frame {
    Evm& evm;
    const Message& message;
    core::ByteView code;
    Memory& memory;
    int64_t gas;
    core::ByteView return_data;  // in the slot of the next depth; valid until the next call
    core::ByteView output;       // of this frame

    Code& known;                // what is known of `code`
    core::U256* base;           // lowest word of the stack
    core::U256* top = nullptr;  // where one of the two loops left off
    uint64_t pc = 0;            // likewise, for the plain one
    Block* block = nullptr;     // likewise, for traces
    /// At a jump with less gas than this the clock is looked at; 0: never.
    int64_t gas_at_look = 0;

    bool charge(int64_t price) noexcept {
        gas -= price;
        return gas >= 0;
    }
    /// Throws TimeOver.
    [[gnu::noinline, gnu::cold]] void look_at_clock(int64_t gas_left) {
        evm.look_at_clock();
        set_next_look(gas_left);
    }
    void set_next_look(int64_t gas_left) noexcept {
        gas_at_look = std::max<int64_t>(gas_left - kGasBetweenLooks, 0);
    }
    bool charge_words(int64_t price, uint64_t bytes) noexcept {
        return charge(price * static_cast<int64_t>(words_of(bytes)));
    }
};

inline core::Address to_address(const core::U256& word) noexcept {
    uint8_t bytes[32];
    word.store_be32(bytes);
    return core::Address(core::ByteView(bytes + 12, 20));
}
inline core::U256 to_word(const core::Address& address) noexcept {
    const uint8_t* bytes = address.data();
    return {core::load_be<uint64_t>(bytes + 12), core::load_be<uint64_t>(bytes + 4),
            core::load_be<uint32_t>(bytes), 0};
}

}  // namespace keel::evm
