#include "evm/blocks.hpp"

#include <algorithm>

namespace keel::evm {
namespace {

constexpr size_t kChunk = 512;                    // insns
constexpr size_t kTraceBytesALeast = 64 << 10;    // of one code
constexpr size_t kTraceBytesForAByteOfCode = 64;  // beyond the former

}  // namespace

Code::Code(core::ByteView code)
    : words_((code.size() + 63) / 64),
      size_(code.size()),
      arena_bytes_max_(kTraceBytesALeast + kTraceBytesForAByteOfCode * code.size()) {
    for (size_t i = 0; i < code.size(); ++i) {
        const uint8_t op = code[i];
        if (op == 0x5b) {
            words_[i / 64].bits |= uint64_t{1} << (i % 64);
        } else if (op >= 0x60 && op <= 0x7f) {
            i += op - 0x5fu;
        }
    }
    uint32_t before = 0;
    for (Word& word : words_) {
        word.before = before;
        before += static_cast<uint32_t>(__builtin_popcountll(word.bits));
    }
    dest_count_ = before;
    dests_ = std::make_unique<Block[]>(dest_count_);
    for (size_t w = 0, at = 0; w < words_.size(); ++w) {
        for (uint64_t bits = words_[w].bits; bits != 0; bits &= bits - 1) {
            dests_[at++].pc =
                static_cast<uint32_t>(w * 64 + static_cast<unsigned>(__builtin_ctzll(bits)));
        }
    }
}

Block& Code::block_at(uint64_t pc) {
    if (allows(pc)) return dest(pc);
    auto& block = others_[pc];
    if (block == nullptr) {
        block = std::make_unique<Block>();
        block->pc = static_cast<uint32_t>(pc);
    }
    return *block;
}

Insn* Code::new_insns(size_t count) {
    if (chunk_left_ < count) {
        chunk_left_ = std::max(count, kChunk);
        insns_.push_back(std::make_unique<Insn[]>(chunk_left_));
        chunk_size_ = chunk_left_;
        arena_bytes_ += chunk_left_ * sizeof(Insn);
    }
    Insn* first = insns_.back().get() + (chunk_size_ - chunk_left_);
    chunk_left_ -= count;
    return first;
}

const core::U256* Code::new_word(const core::U256& word) {
    constants_.push_back(std::make_unique<core::U256>(word));
    arena_bytes_ += 2 * sizeof(core::U256);
    return constants_.back().get();
}

size_t Code::memory_bytes() const noexcept {
    return sizeof(Code) + words_.size() * sizeof(Word) + dest_count_ * sizeof(Block) +
           others_.size() * (sizeof(Block) + 64) + arena_bytes_;
}

}  // namespace keel::evm
