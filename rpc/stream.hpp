#pragma once

// An answer that goes to the client while it is being written, so that its size costs no memory.

#include <cstdint>

#include "rpc/json_out.hpp"

namespace keel::rpc {

/// The client's side of such an answer; its connection has one while a request is at work. One
/// thread at a time.
class Stream {
  public:
    /// From this many bytes on it pays to hand them over.
    static constexpr size_t kPartBytes = size_t{256} << 10;

    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    /// Whether a part of the answer has gone: what is said cannot be taken back.
    bool has_begun() const noexcept { return bytes_ > 0; }
    /// Bytes that have gone.
    uint64_t bytes() const noexcept { return bytes_; }
    /// Hands over what is written, but for the last byte: what follows depends on it. Waits while
    /// the client has not taken the part before. False: it has gone, or takes nothing.
    bool send(JsonOut& out) {
        const std::string_view part = out.text().substr(0, out.size() - 1);
        bytes_ += part.size();
        if (!take(part)) return false;
        out.keep_last();
        return true;
    }
    /// What has gone cannot be completed: the client must see that it is not whole.
    void break_off() noexcept { is_broken_ = true; }
    bool is_broken() const noexcept { return is_broken_; }
    /// For the next answer.
    void reset() noexcept {
        bytes_ = 0;
        is_broken_ = false;
    }

  protected:
    /// Takes over a copy, and waits if need be; false: in vain.
    virtual bool take(std::string_view part) = 0;

  private:
    uint64_t bytes_ = 0;
    bool is_broken_ = false;
};

}  // namespace keel::rpc
