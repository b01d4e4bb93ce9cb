#include "crypto/keccak.hpp"

#include <algorithm>
#include <cstring>

#include "core/base.hpp"
#include "core/endian.hpp"
#include "crypto/keccak_permutation.hpp"
#include "crypto/processor.hpp"

namespace keel::crypto {
namespace {

using core::ByteView;
using core::Hash32;

// The machine is asked once. A constant inside a function, so that hashing works while other
// constants are still being made.
const KeccakVariants& variants() noexcept {
    static const KeccakVariants chosen = choose_keccak_variants();
    return chosen;
}

// Absorbs messages in pieces; `kRate` bytes a block.
template <size_t kRate>
class Sponge {
  public:
    explicit Sponge(KeccakPermute permute) noexcept : permute_(permute) {}

    void absorb(ByteView data) noexcept {
        const uint8_t* at = data.data();
        size_t left = data.size();
        while (left != 0) {
            if (used_ % 8 == 0) {
                for (; left >= 8; at += 8, left -= 8) {
                    state_[used_ / 8] ^= core::load_le<uint64_t>(at);
                    advance(8);
                }
                if (left == 0) return;
            }
            state_[used_ / 8] ^= static_cast<uint64_t>(*at) << (used_ % 8 * 8);
            advance(1);
            ++at;
            --left;
        }
    }

    void finish(uint8_t* digest, size_t size) noexcept {
        state_[used_ / 8] ^= uint64_t{1} << (used_ % 8 * 8);
        state_[kRate / 8 - 1] ^= uint64_t{0x80} << 56;
        permute_(state_);
        for (size_t i = 0; i < size; i += 8) core::store_le(digest + i, state_[i / 8]);
    }

  private:
    void advance(size_t count) noexcept {
        used_ += count;
        if (used_ == kRate) {
            permute_(state_);
            used_ = 0;
        }
    }

    KeccakPermute permute_;
    uint64_t state_[25] = {};
    size_t used_ = 0;  // bytes of the present block
};

void absorb_block(uint64_t* state, const uint8_t* block) noexcept {
    for (size_t i = 0; i < kKeccakRateWords; ++i)
        state[i] ^= core::load_le<uint64_t>(block + 8 * i);
}

void store_digest(const uint64_t* state, size_t stride, Hash32& out) noexcept {
    for (size_t i = 0; i < 4; ++i) core::store_le(out.data() + 8 * i, state[i * stride]);
}

// Absorbs what is left of a message into `state` and gives the digest.
void finish_message(KeccakPermute permute, uint64_t* state, const uint8_t* at, size_t left,
                    Hash32& out) noexcept {
    for (; left >= kKeccakRateBytes; at += kKeccakRateBytes, left -= kKeccakRateBytes) {
        absorb_block(state, at);
        permute(state);
    }
    const size_t words = left / 8;
    for (size_t i = 0; i < words; ++i) state[i] ^= core::load_le<uint64_t>(at + 8 * i);
    uint64_t tail = 0;
    if (left % 8 != 0) std::memcpy(&tail, at + 8 * words, left % 8);
    state[words] ^= tail ^ (uint64_t{1} << (left % 8 * 8));
    state[kKeccakRateWords - 1] ^= uint64_t{0x80} << 56;
    permute(state);
    store_digest(state, 1, out);
}

ByteView first_part(ByteView message) noexcept {
    return message;
}
ByteView first_part(const TwoParts& message) noexcept {
    return message.first;
}
ByteView second_part(ByteView) noexcept {
    return {};
}
ByteView second_part(const TwoParts& message) noexcept {
    return message.second;
}

// Every step absorbs one block in each lane. A lane whose message is finished takes the next one,
// so that messages of different lengths keep all lanes busy.
template <size_t kLanes, class Message>
class LaneScheduler {
  public:
    LaneScheduler(std::span<const Message> inputs, std::span<Hash32> out) noexcept
        : inputs_(inputs), out_(out) {}

    void run(const KeccakVariants& use) noexcept {
        while (true) {
            const unsigned fresh = take_messages();
            if (busy_ == 0) return;
            if (busy_ == 1) return finish_alone(use.permute, fresh);
            for (size_t lane = 0; lane < kLanes; ++lane) {
                prepare(lanes_[lane]);
                blocks_[lane] = {lanes_[lane].at,
                                 std::min<size_t>(lanes_[lane].left, kKeccakRateBytes)};
            }
            use.step(state_, blocks_, fresh);
            advance();
        }
    }

  private:
    struct Lane {
        const uint8_t* at = nullptr;
        size_t left = 0;
        size_t index = kIdle;
        ByteView rest;  // the second part, as far as it is not behind `at`
        uint8_t joint[kKeccakRateBytes];
    };
    static constexpr size_t kIdle = SIZE_MAX;

    // Fills idle lanes; returns the mask of those that were filled.
    unsigned take_messages() noexcept {
        unsigned fresh = 0;
        for (size_t lane = 0; lane < kLanes && next_ < inputs_.size(); ++lane) {
            if (lanes_[lane].index != kIdle) continue;
            const ByteView first = first_part(inputs_[next_]);
            lanes_[lane].at = first.data();
            lanes_[lane].left = first.size();
            lanes_[lane].rest = second_part(inputs_[next_]);
            lanes_[lane].index = next_++;
            ++busy_;
            fresh |= 1u << lane;
        }
        return fresh;
    }

    // While a second part is to come, a whole block lies at `at`: where the parts meet, in `joint`.
    static void prepare(Lane& lane) noexcept {
        if (lane.left >= kKeccakRateBytes || lane.rest.empty()) return;
        if (lane.left == 0) {
            lane.at = lane.rest.data();
            lane.left = lane.rest.size();
            lane.rest = {};
            return;
        }
        const size_t taken = std::min(kKeccakRateBytes - lane.left, lane.rest.size());
        std::memcpy(lane.joint, lane.at, lane.left);
        std::memcpy(lane.joint + lane.left, lane.rest.data(), taken);
        lane.at = lane.joint;
        lane.left += taken;
        lane.rest = lane.rest.sub(taken);
    }

    // A block with padding was a message's last one.
    void advance() noexcept {
        for (size_t i = 0; i < kLanes; ++i) {
            Lane& lane = lanes_[i];
            if (lane.left >= kKeccakRateBytes) {
                lane.at += kKeccakRateBytes;
                lane.left -= kKeccakRateBytes;
            } else if (lane.index != kIdle) {
                store_digest(state_ + i, kLanes, out_[lane.index]);
                lane.left = 0;
                lane.index = kIdle;
                --busy_;
            }
        }
    }

    // One message is left: a single permutation takes half the time of a step.
    void finish_alone(KeccakPermute permute, unsigned fresh) noexcept {
        for (size_t i = 0; i < kLanes; ++i) {
            Lane& lane = lanes_[i];
            if (lane.index == kIdle) continue;
            uint64_t state[25] = {};
            if (((fresh >> i) & 1) == 0) {
                for (size_t word = 0; word < 25; ++word) state[word] = state_[word * kLanes + i];
            }
            for (prepare(lane); !lane.rest.empty(); prepare(lane)) {
                absorb_block(state, lane.at);
                permute(state);
                lane.at += kKeccakRateBytes;
                lane.left -= kKeccakRateBytes;
            }
            finish_message(permute, state, lane.at, lane.left, out_[lane.index]);
        }
    }

    alignas(64) uint64_t state_[25 * kLanes];
    KeccakBlock blocks_[kLanes];
    Lane lanes_[kLanes];
    size_t next_ = 0;
    size_t busy_ = 0;
    std::span<const Message> inputs_;
    std::span<Hash32> out_;
};

template <class Message>
void hash_batch(std::span<const Message> inputs, std::span<Hash32> out) noexcept {
    KEEL_ASSERT(inputs.size() == out.size());
    const KeccakVariants& use = variants();
    if (inputs.size() > 1 && use.lanes == 8) return LaneScheduler<8, Message>(inputs, out).run(use);
    if (inputs.size() > 1 && use.lanes == 4) return LaneScheduler<4, Message>(inputs, out).run(use);
    for (size_t i = 0; i < inputs.size(); ++i) {
        const ByteView second = second_part(inputs[i]);
        out[i] = second.empty() ? keccak256(first_part(inputs[i]))
                                : keccak256(first_part(inputs[i]), second);
    }
}

}  // namespace

KeccakVariants choose_keccak_variants() noexcept {
    KeccakVariants use{keccak_permute_plain, nullptr, 1};
    if (has_bmi()) {
        use.permute = keccak_permute_bmi;
    }
    if (has_avx2()) use = {use.permute, keccak_step_x4_avx2, 4};
    if (has_avx512()) {
        use = {keccak_permute_avx512, keccak_step_x8_avx512, 8};
    }
    return use;
}

core::Hash32 keccak256(ByteView data) noexcept {
    Hash32 out;
    uint64_t state[25] = {};
    finish_message(variants().permute, state, data.data(), data.size(), out);
    return out;
}

core::Hash32 keccak256(ByteView first, ByteView second) noexcept {
    Sponge<kKeccakRateBytes> sponge(variants().permute);
    sponge.absorb(first);
    sponge.absorb(second);
    Hash32 out;
    sponge.finish(out.data(), out.size());
    return out;
}

std::array<uint8_t, 64> keccak512(ByteView data) noexcept {
    Sponge<72> sponge(variants().permute);
    sponge.absorb(data);
    std::array<uint8_t, 64> out;
    sponge.finish(out.data(), out.size());
    return out;
}

void keccak256_batch(std::span<const ByteView> inputs, std::span<Hash32> out) noexcept {
    hash_batch(inputs, out);
}

void keccak256_batch(std::span<const TwoParts> inputs, std::span<Hash32> out) noexcept {
    hash_batch(inputs, out);
}

}  // namespace keel::crypto
