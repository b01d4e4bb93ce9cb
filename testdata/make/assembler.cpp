#include "testdata/make/assembler.hpp"

#include <stdexcept>

namespace keel::testdata {
namespace {

using evm::Op;

constexpr uint8_t byte_of(Op op) {
    return static_cast<uint8_t>(op);
}

}  // namespace

void Assembler::add(const core::U256& value) {
    const auto bytes = value.to_be32();
    const unsigned length = std::max(1u, value.byte_length());
    code_.push_back(static_cast<uint8_t>(byte_of(Op::PUSH1) + length - 1));
    append(code_, core::ByteView(bytes).sub(32 - length));
}

void Assembler::push_label(const std::string& name) {
    code_.push_back(static_cast<uint8_t>(byte_of(Op::PUSH1) + 1));
    uses_.emplace_back(code_.size(), name);
    code_.push_back(0);
    code_.push_back(0);
}

Assembler& Assembler::label(const std::string& name) {
    labels_[name] = code_.size();
    add(Op::JUMPDEST);
    return *this;
}

Assembler& Assembler::jump(const std::string& name) {
    push_label(name);
    add(Op::JUMP);
    return *this;
}

Assembler& Assembler::jump_if(const std::string& name) {
    push_label(name);
    add(Op::JUMPI);
    return *this;
}

Assembler& Assembler::raw(core::ByteView bytes) {
    append(code_, bytes);
    return *this;
}

Assembler& Assembler::dup(unsigned depth) {
    code_.push_back(static_cast<uint8_t>(byte_of(Op::DUP1) + depth - 1));
    return *this;
}

Assembler& Assembler::swap(unsigned depth) {
    code_.push_back(static_cast<uint8_t>(byte_of(Op::SWAP1) + depth - 1));
    return *this;
}

core::Bytes Assembler::code() const {
    core::Bytes code = code_;
    for (const auto& [at, name] : uses_) {
        const auto label = labels_.find(name);
        if (label == labels_.end()) throw std::logic_error("no label " + name);
        code[at] = static_cast<uint8_t>(label->second >> 8);
        code[at + 1] = static_cast<uint8_t>(label->second);
    }
    return code;
}

core::Bytes deploy(core::ByteView runtime) {
    // The length of this prologue enters itself; runtimes here are below 64 KiB, so that two bytes
    // always do for the length, and one for the offset.
    core::Bytes code{0x61,
                     static_cast<uint8_t>(runtime.size() >> 8),
                     static_cast<uint8_t>(runtime.size()),
                     0x80,  // DUP1
                     0x60,
                     12,
                     0x60,
                     0,                      // offset of the runtime, 0
                     byte_of(Op::CODECOPY),  // memory[0..] = runtime
                     0x60,
                     0,
                     byte_of(Op::RETURN)};
    append(code, runtime);
    return code;
}

}  // namespace keel::testdata
