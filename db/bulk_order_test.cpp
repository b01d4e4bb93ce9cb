#include "db/bulk_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

#include "core/endian.hpp"

namespace keel::db {
namespace {

using core::Bytes;

/// Entries as a stream has them.
class Arena {
  public:
    void add(ByteView key, ByteView value) {
        if (places_.size() % BulkOrder::kMarkEntries == 0) marks_.push_back(bytes_.size());
        places_.push_back(bytes_.size());
        std::array<uint8_t, kBulkHeadBytes> head;
        core::store_le(head.data() + kBulkRecordAt, static_cast<uint32_t>(places_.size()));
        core::store_le(head.data() + kBulkKeyBytesAt, static_cast<uint16_t>(key.size()));
        core::store_le(head.data() + kBulkValueBytesAt, static_cast<uint32_t>(value.size()));
        core::append(bytes_, head);
        core::append(bytes_, key);
        core::append(bytes_, value);
        bytes_.resize(bulk_aligned(bytes_.size()), 0xee);
    }
    /// Whether references stand as a stable sort has the entries.
    void expect_sorted(Kind kind, size_t threads) {
        const uint64_t bytes = bytes_.size();
        bytes_.resize(bytes + kBulkSlackBytes, 0xee);
        BulkOrder order;
        order.sort({.arena = bytes_.data(),
                    .bytes = bytes,
                    .count = places_.size(),
                    .marks = &marks_,
                    .kind = kind},
                   threads);
        for (BulkOrder::Reference* at = order.begin(); at != order.end();) {
            BulkOrder::Reference* tie = at + 1;
            while (tie != order.end() && order.same_head(*at, *tie)) ++tie;
            order.settle(at, tie);
            at = tie;
        }
        std::ranges::sort(places_, [&](uint64_t a, uint64_t b) {
            const auto by_content = bulk_order(bytes_.data() + a, bytes_.data() + b, kind);
            return by_content != 0 ? by_content < 0 : a < b;
        });
        ASSERT_EQ(static_cast<size_t>(order.end() - order.begin()), places_.size());
        for (size_t i = 0; i < places_.size(); ++i)
            ASSERT_EQ(static_cast<uint64_t>(order.entry(order.begin()[i]) - bytes_.data()),
                      places_[i])
                << i;
    }

  private:
    std::vector<uint8_t> bytes_;
    std::vector<uint64_t> marks_;
    std::vector<uint64_t> places_;
};

Bytes text(std::string_view text) {
    return {text.begin(), text.end()};
}
Bytes digits(uint64_t number, size_t count) {
    Bytes made(count);
    for (; count > 0; number /= 10) made[--count] = static_cast<uint8_t>('0' + number % 10);
    return made;
}
Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) core::append(all, part);
    return all;
}

TEST(BulkOrder, keys_of_every_shape_stand_as_a_stable_sort_has_them) {
    std::mt19937_64 random(20'261'121);
    const auto below = [&random](uint64_t end) { return random() % end; };
    const auto bytes = [&](size_t count, uint64_t letters) {
        Bytes made(count);
        for (uint8_t& byte : made) byte = static_cast<uint8_t>(below(letters) * 255 / letters);
        return made;
    };
    const std::function<Bytes(uint64_t)> shapes[] = {
        [&](uint64_t) { return bytes(32, 256); },
        [&](uint64_t) { return bytes(below(12), 2); },
        // Nothing but length tells them apart, within what is looked at at once and behind it.
        [&](uint64_t) { return Bytes(below(200), 0); },
        [&](uint64_t) { return Bytes(below(10) * 50, 0x61); },
        // Two indexes in one table, with a name in front.
        [&](uint64_t i) {
            return i % 2 == 0 ? joined({text("entitlement-"), digits(below(20), 6), Bytes(1),
                                        digits(i, 12)})
                              : joined({text("principal-"), digits(below(3000), 8), Bytes(1),
                                        digits(i, 12)});
        },
        // What differs lies behind all windows, and between two of them.
        [&](uint64_t) { return joined({Bytes(300, 0x70), bytes(6, 10)}); },
        [&](uint64_t) { return joined({Bytes(60, 0x70), bytes(8, 10), Bytes(below(3), 0)}); },
        // Bits far from each other: more pieces than a head is made of.
        [&](uint64_t) {
            Bytes made(40);
            for (uint8_t& byte : made)
                byte = static_cast<uint8_t>(below(2) | below(2) << 2 | below(2) << 6);
            return made;
        },
        [&](uint64_t) { return text("one"); },
        [&](uint64_t) { return Bytes(); },
    };
    for (size_t shape = 0; shape < std::size(shapes); ++shape)
        for (const uint64_t count : {2U, 30U, 500U, 5000U, 40'000U, 70'000U})
            for (const Kind kind : {Kind::Plain, Kind::DupSort}) {
                SCOPED_TRACE(testing::Message()
                             << "shape " << shape << ", " << count << " entries, "
                             << (kind == Kind::Plain ? "plain" : "dup"));
                Arena arena;
                for (uint64_t i = 0; i < count; ++i) {
                    const Bytes key = shapes[shape](i);
                    arena.add(key, bytes(below(20), below(2) == 0 ? 2 : 256));
                }
                arena.expect_sorted(kind, count > 60'000 ? 3 : 1);
                if (testing::Test::HasFatalFailure()) return;
            }
}

}  // namespace
}  // namespace keel::db
