#pragma once

// What geth says of an instruction that fails: its price, as far as it got to know it, and why.
// Sources: geth's interpreter loop and gas tables, whose order of checks decides; EIP-3155.

#include <array>
#include <string>

#include "evm/call.hpp"

namespace keel::rpc::debug {

/// Remembers the last step as it was before the instruction did anything.
class FailedStep {
  public:
    void take(const evm::Step& step);

    uint8_t op() const noexcept { return op_; }
    /// Whether geth finds the failure while it executes the instruction: by then it is paid, and
    /// its entry in a log says nothing of an error.
    static bool is_found_in_execution(evm::Status status) noexcept;
    /// Of the step that was taken last, when it has just failed with this status. The state is
    /// that of the frame still.
    std::string error(evm::Status status) const;
    uint64_t price(evm::Status status) const;

  private:
    /// How far geth comes. `reason` null: nothing is wrong but, perhaps, that it is too much.
    struct Price {
        uint64_t gas = 0;
        const char* reason = nullptr;
    };
    Price price_of(evm::Status status) const;
    uint64_t constant() const;
    Price dynamic() const;
    Price with_memory(size_t offset_at, size_t length_at, uint64_t other) const;
    Price memory_price(const core::U256& offset, const core::U256& length) const;
    Price sstore_price() const;
    Price create_price() const;
    Price call_price() const;
    uint64_t selfdestruct_price() const;
    const core::U256& word(size_t from_top) const { return words_[from_top]; }

    static constexpr size_t kWordsMax = 7;  // of a CALL
    const evm::Evm* evm_ = nullptr;
    uint8_t op_ = 0;
    bool cold_ = false;  // the account or slot that it is about (EIP-2929)
    bool cold_delegate_ = false;
    bool has_delegate_ = false;
    uint64_t gas_ = 0;
    size_t stack_size_ = 0;
    uint64_t memory_size_ = 0;
    core::Address self_;
    std::array<core::U256, kWordsMax> words_{};  // the uppermost first
};

}  // namespace keel::rpc::debug
