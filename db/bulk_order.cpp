#include "db/bulk_order.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <thread>

#include "core/endian.hpp"

namespace keel::db {
namespace {

constexpr uint64_t kPageBytes = 4096;

// What of a key is looked at at once, and how far before keys are compared whole.
constexpr size_t kWindowWords = 8;
constexpr size_t kWindowBytes = kWindowWords * 8;
constexpr size_t kSkipMax = 4 * kWindowBytes;

// The top digit divides what there is into parts that a core's cache takes.
constexpr unsigned kTopBits = 11;
constexpr unsigned kDigitBits = 11;
constexpr unsigned kSmallDigitBits = 8;
// Below this a digit's counters are more than the references.
constexpr ptrdiff_t kWideDigitsFrom = 1 << 14;
constexpr ptrdiff_t kRadixFrom = 192;
// Longer runs of equal heads get heads from further on; shorter ones are settled where they are
// read.
constexpr ptrdiff_t kTieMax = 64;
constexpr uint64_t kThreadEntriesMin = uint64_t{1} << 16;
constexpr ptrdiff_t kLookAhead = 12;

core::AddressRange make_range(uint64_t bytes) {
    core::AddressRange range(std::max(bytes, kPageBytes), std::max(bytes, kPageBytes));
    if (!range.commit(0, range.size())) throw std::bad_alloc();
    core::advise_huge_pages(range.data(), range.size());
    return range;
}

/// The first bytes of a word of the memory's order.
constexpr uint64_t first_bytes(size_t bytes) noexcept {
    return bytes >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * bytes)) - 1;
}

template <class F>
void on_threads(size_t threads, F&& work) {
    std::vector<std::jthread> others;
    for (size_t i = 1; i < threads; ++i) others.emplace_back([&work] { work(); });
    work();
}

}  // namespace

/// The part of the keys, or of the values where keys are equal, that heads are made of.
struct BulkOrder::Window {
    size_t skip = 0;
    bool in_value = false;

    ByteView all(const uint8_t* entry) const noexcept {
        return in_value ? bulk_value(entry) : bulk_key(entry);
    }
    ByteView text(const uint8_t* entry) const noexcept {
        const ByteView whole = all(entry);
        return whole.size() > skip ? ByteView(whole.data() + skip, whole.size() - skip)
                                   : ByteView();
    }
    /// Nothing is behind it.
    bool reaches(size_t bytes) const noexcept { return bytes <= skip + kWindowBytes; }
};

namespace {

/// A word of a text, zero behind its end.
uint64_t word_of(ByteView text, size_t word) noexcept {
    if (text.size() <= word * 8) return 0;
    uint64_t bytes;
    std::memcpy(&bytes, text.data() + word * 8, 8);  // the slack: may end behind the text
    return bytes & first_bytes(text.size() - word * 8);
}

/// Bits in which the texts of a window differ, and the sizes of the keys or values.
struct Differences {
    std::array<uint64_t, kWindowWords> words = {};  // in the memory's order
    size_t bytes_max = 0;
    size_t bytes_min = SIZE_MAX;

    void add(ByteView text, ByteView first, size_t bytes) noexcept {
        bytes_max = std::max(bytes_max, bytes);
        bytes_min = std::min(bytes_min, bytes);
        const size_t end = std::min(kWindowWords, (std::max(text.size(), first.size()) + 7) / 8);
        for (size_t i = 0; i < end; ++i) words[i] |= word_of(text, i) ^ word_of(first, i);
    }
    void add(const Differences& other) noexcept {
        bytes_max = std::max(bytes_max, other.bytes_max);
        bytes_min = std::min(bytes_min, other.bytes_min);
        for (size_t i = 0; i < kWindowWords; ++i) words[i] |= other.words[i];
    }
    bool none() const noexcept {
        return std::ranges::all_of(words, [](uint64_t word) { return word == 0; });
    }
};

}  // namespace

/// How a head is gathered: the differing bits from the top, in pieces of neighbours.
struct BulkOrder::Digits {
    static constexpr size_t kPiecesMax = 12;
    struct Piece {
        uint64_t mask;
        uint8_t word;
        uint8_t shift;
        uint8_t bits;
    };
    std::array<Piece, kPiecesMax> pieces;
    size_t count = 0;
    unsigned bits = 0;  // of a head

    Digits(const Differences& found, unsigned bits_max) {
        // Bits between two pieces go along where there would be too many of these.
        for (unsigned gap = 0; !gather(found, bits_max, gap); gap = 2 * gap + 1) {
        }
    }

    uint64_t head(ByteView text) const noexcept {
        uint64_t head = 0;
        for (size_t i = 0; i < count; ++i) {
            const Piece piece = pieces[i];
            const uint64_t word = std::byteswap(word_of(text, piece.word));
            head = (head << piece.bits) | ((word >> piece.shift) & piece.mask);
        }
        return head;
    }

  private:
    bool gather(const Differences& found, unsigned bits_max, unsigned gap) {
        count = 0;
        bits = 0;
        for (size_t word = 0; word < kWindowWords; ++word) {
            uint64_t left = std::byteswap(found.words[word]);
            while (left != 0 && bits < bits_max) {
                const auto top = static_cast<unsigned>(std::countl_zero(left));
                unsigned end = top;  // of the piece, from the top
                for (unsigned at = top; at < 64 && at - end <= gap; ++at)
                    if ((left >> (63 - at) & 1) != 0) end = at + 1;
                const unsigned taken = std::min(end - top, bits_max - bits);
                if (count == kPiecesMax) return false;
                pieces[count++] = {.mask = ~uint64_t{0} >> (64 - taken),
                                   .word = static_cast<uint8_t>(word),
                                   .shift = static_cast<uint8_t>(64 - top - taken),
                                   .bits = static_cast<uint8_t>(taken)};
                bits += taken;
                if (end == 64) break;
                left &= ~uint64_t{0} >> end;
            }
        }
        return true;
    }
};

void BulkOrder::by_marks(size_t threads, const std::function<void(size_t)>& work) const {
    std::atomic<size_t> next = 0;
    on_threads(std::min(threads, entries_.marks->size()), [&] {
        for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < entries_.marks->size();)
            work(i);
    });
}

/// References of all entries, in the order in which they came.
void BulkOrder::fill(const Window& window, const Digits& digits, size_t threads) {
    const unsigned up = 64 - digits.bits;
    by_marks(threads, [&](size_t mark) {
        const uint64_t from = mark * kMarkEntries;
        const uint64_t to = std::min(from + kMarkEntries, count_);
        uint64_t at = (*entries_.marks)[mark];
        for (Reference* out = begin() + from; out != begin() + to; ++out) {
            const uint8_t* const found = entries_.arena + at;
            const uint64_t head = digits.bits == 0 ? 0 : digits.head(window.text(found)) << up;
            *out = head | at / kBulkAlignment;
            at += bulk_bytes(found);
        }
    });
}

void BulkOrder::sort(const Entries& entries, size_t threads) {
    entries_ = entries;
    count_ = entries.count;
    place_bits_ = static_cast<unsigned>(std::bit_width(entries.bytes / kBulkAlignment));
    place_mask_ = (Reference{1} << place_bits_) - 1;
    references_ = make_range(count_ * sizeof(Reference));
    if (count_ < kThreadEntriesMin) threads = 1;

    Window window;
    std::vector<Differences> found(entries.marks->size());
    for (;; window.skip += kWindowBytes) {
        by_marks(threads, [&](size_t mark) {
            const ByteView first = window.text(entries_.arena);
            const uint64_t count = std::min(kMarkEntries, count_ - mark * kMarkEntries);
            uint64_t at = (*entries_.marks)[mark];
            Differences here;
            for (uint64_t i = 0; i < count; ++i) {
                const uint8_t* const entry = entries_.arena + at;
                here.add(window.text(entry), first, window.all(entry).size());
                at += bulk_bytes(entry);
            }
            found[mark] = here;
        });
        for (size_t i = 1; i < found.size(); ++i) found[0].add(found[i]);
        if (!found[0].none() || window.reaches(found[0].bytes_max) || window.skip >= kSkipMax)
            break;
        std::ranges::fill(found, Differences());
    }
    const Digits digits(found[0], 64 - place_bits_);
    fill(window, digits, threads);
    spare_ = make_range(count_ * sizeof(Reference));
    auto* const spare = reinterpret_cast<Reference*>(spare_.data());
    if (count_ < static_cast<uint64_t>(kWideDigitsFrom) || digits.bits == 0) {
        sort_by_head(begin(), end(), spare, 64);
        sort_ties(begin(), end(), spare, window);
    } else {
        // Parts by the top digit, each sorted by itself.
        constexpr unsigned kShift = 64 - kTopBits;
        std::vector<uint64_t> ends(size_t{1} << kTopBits);
        for (const Reference* at = begin(); at != end(); ++at) ++ends[*at >> kShift];
        uint64_t sum = 0;
        for (uint64_t& of_digit : ends) sum += std::exchange(of_digit, sum);
        for (const Reference* at = begin(); at != end(); ++at) spare[ends[*at >> kShift]++] = *at;
        std::atomic<size_t> next = 0;
        on_threads(threads, [&] {
            for (size_t part;
                 (part = next.fetch_add(1, std::memory_order_relaxed)) < ends.size();) {
                const uint64_t from = part == 0 ? 0 : ends[part - 1];
                if (from == ends[part]) continue;
                Reference* const first = begin() + from;
                std::memcpy(first, spare + from, (ends[part] - from) * sizeof(Reference));
                sort_by_head(first, begin() + ends[part], spare + from, kShift);
                sort_ties(first, begin() + ends[part], spare + from, window);
            }
        });
    }
    spare_ = core::AddressRange();
}

/// The bits from `top_bit` on are the same in all of them.
void BulkOrder::sort_by_head(Reference* first, Reference* last, Reference* spare,
                             unsigned top_bit) const {
    const ptrdiff_t count = last - first;
    if (count < kRadixFrom) {
        std::sort(first, last);
        return;
    }
    const unsigned bits = count >= kWideDigitsFrom ? kDigitBits : kSmallDigitBits;
    std::array<std::array<uint32_t, size_t{1} << kDigitBits>, 8> counts;
    const unsigned passes = (top_bit - place_bits_ + bits - 1) / bits;
    const Reference mask = (Reference{1} << bits) - 1;
    for (unsigned pass = 0; pass < passes; ++pass)
        std::fill_n(counts[pass].begin(), size_t{1} << bits, 0);
    for (const Reference* at = first; at != last; ++at)
        for (unsigned pass = 0; pass < passes; ++pass)
            ++counts[pass][(*at >> (place_bits_ + pass * bits)) & mask];
    Reference* from = first;
    Reference* to = spare;
    for (unsigned pass = 0; pass < passes; ++pass) {
        const unsigned shift = place_bits_ + pass * bits;
        auto& places = counts[pass];
        if (places[(*from >> shift) & mask] == static_cast<uint64_t>(count)) continue;
        uint32_t sum = 0;
        for (size_t digit = 0; digit <= mask; ++digit) sum += std::exchange(places[digit], sum);
        for (const Reference* at = from; at != from + count; ++at)
            to[places[(*at >> shift) & mask]++] = *at;
        std::swap(from, to);
    }
    if (from != first) std::memcpy(first, from, static_cast<size_t>(count) * sizeof(Reference));
}

void BulkOrder::sort_ties(Reference* first, Reference* last, Reference* spare,
                          const Window& window) const {
    for (Reference* at = first; at != last;) {
        Reference* tie = at + 1;
        while (tie != last && same_head(*at, *tie)) ++tie;
        if (tie - at > kTieMax) sort_deeper(at, tie, spare + (at - first), window);
        at = tie;
    }
}

/// Entries whose heads are equal get new ones, of what differs among them.
void BulkOrder::sort_deeper(Reference* first, Reference* last, Reference* spare,
                            Window window) const {
    Differences found;
    for (;;) {
        const ByteView some = window.text(entry(*first));
        for (const Reference* at = first; at != last; ++at) {
            if (last - at > kLookAhead) __builtin_prefetch(entry(at[kLookAhead]));
            const uint8_t* const each = entry(*at);
            found.add(window.text(each), some, window.all(each).size());
        }
        if (!found.none()) break;
        const bool ends_here = window.reaches(found.bytes_max);
        if (ends_here && !window.in_value && entries_.kind == Kind::DupSort &&
            found.bytes_min == found.bytes_max) {
            window = {.skip = 0, .in_value = true};
        } else if (ends_here || window.skip >= kSkipMax) {
            settle(first, last);
            return;
        } else {
            window.skip += kWindowBytes;
        }
        found = Differences();
    }
    const Digits digits(found, 64 - place_bits_);
    const unsigned up = 64 - digits.bits;
    for (Reference* at = first; at != last; ++at) {
        if (last - at > kLookAhead) __builtin_prefetch(entry(at[kLookAhead]));
        *at = digits.head(window.text(entry(*at))) << up | (*at & place_mask_);
    }
    sort_by_head(first, last, spare, 64);
    sort_ties(first, last, spare, window);
}

bool BulkOrder::settle(Reference* first, Reference* last) const {
    bool equal = false;
    const auto in_order = [&] {
        for (const Reference* at = first; at + 1 < last; ++at) {
            const auto by_content = order(at[0], at[1]);
            if (by_content > 0) return false;
            equal = equal || by_content == 0;
        }
        return true;
    };
    if (in_order()) return equal;
    std::sort(first, last, [this](Reference a, Reference b) {
        const auto by_content = order(a, b);
        return by_content != 0 ? by_content < 0 : (a & place_mask_) < (b & place_mask_);
    });
    equal = false;
    in_order();
    return equal;
}

void BulkOrder::release() noexcept {
    references_.release();
    count_ = 0;
}

}  // namespace keel::db
