#pragma once

#include <utility>

#include "core/rlp.hpp"

namespace keel::core {

/// Reads the fields of one structure in order and remembers the first error, so that a decoder is a
/// list of its fields. After an error every further read gives a zero value.
class FieldReader {
  public:
    explicit FieldReader(RlpReader& from) noexcept : from_(&from) {}

    template <class T>
    void take(RlpResult<T> result, T& into) {
        if (result) {
            into = *std::move(result);
        } else {
            fail(result.error());
        }
    }
    void uint64(uint64_t& into) {
        if (ok()) take(from_->uint64(), into);
    }
    void u256(U256& into) {
        if (ok()) take(from_->u256(), into);
    }
    void string(ByteView& into) {
        if (ok()) take(from_->string(), into);
    }
    template <class Fixed>
    void fixed(Fixed& into) {
        if (ok()) take(from_->template fixed<Fixed>(), into);
    }
    /// Calls read(RlpReader&), which returns RlpResult<T>, for every item of the next list.
    template <class T, class Read>
    void list_of(std::vector<T>& into, Read read) {
        if (!ok()) return;
        auto items = from_->list();
        if (!items) return fail(items.error());
        while (ok() && !items->at_end()) {
            auto item = read(*items);
            if (!item) return fail(item.error());
            into.push_back(*std::move(item));
        }
    }
    /// All fields are read: nothing may follow.
    void end() {
        if (!ok()) return;
        if (const auto rest = from_->end(); !rest) fail(rest.error());
    }
    void fail(RlpError error) noexcept {
        if (ok_) error_ = error;
        ok_ = false;
    }
    bool ok() const noexcept { return ok_; }
    RlpError error() const noexcept { return error_; }

  private:
    RlpReader* from_;
    RlpError error_ = RlpError::InvalidValue;
    bool ok_ = true;
};

}  // namespace keel::core
