#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "evm/opcodes.hpp"

namespace keel::testdata {

/// EVM code, written down one instruction after the other. Pushes are shortest, and PUSH1 0 for
/// zero, so that the code runs in every fork.
class Assembler {
  public:
    /// Each argument is an opcode, or a number or address to push.
    template <class... Items>
    explicit Assembler(const Items&... items) {
        (add(items), ...);
    }
    template <class... Items>
    Assembler& operator()(const Items&... items) {
        (add(items), ...);
        return *this;
    }
    /// A JUMPDEST that jump() and jump_if() know by this name.
    Assembler& label(const std::string& name);
    Assembler& jump(const std::string& name);
    /// Takes the condition from the stack.
    Assembler& jump_if(const std::string& name);
    Assembler& raw(core::ByteView bytes);
    /// DUP1 … DUP16, SWAP1 … SWAP16.
    Assembler& dup(unsigned depth);
    Assembler& swap(unsigned depth);

    /// Throws std::logic_error for a label that is nowhere.
    core::Bytes code() const;

  private:
    void add(evm::Op op) { code_.push_back(static_cast<uint8_t>(op)); }
    void add(const core::U256& value);
    void add(int value) { add(core::U256(static_cast<uint64_t>(value))); }
    void add(unsigned value) { add(core::U256(value)); }
    void add(uint64_t value) { add(core::U256(value)); }
    void add(const core::Address& address) { add(core::U256::from_be(address)); }
    void push_label(const std::string& name);

    core::Bytes code_;
    std::map<std::string, size_t> labels_;
    std::vector<std::pair<size_t, std::string>> uses_;  // place of the two bytes, label
};

/// Init code whose contract is `runtime`.
core::Bytes deploy(core::ByteView runtime);

}  // namespace keel::testdata
