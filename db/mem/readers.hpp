#pragma once

// Who reads which commit.
//
// A reader publishes the commit it reads in a word of its own, and looks again whether that commit
// is still the newest. The writer publishes a new commit first and scans the words afterwards. So
// either the writer sees the word, or the reader sees the new commit and publishes that one
// instead: no page that a reader can reach is ever reused. A word is taken by publishing in it (0 =
// free): one atomic exchange a transaction, on a line that no other thread writes.

#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "db/mem/page_tree.hpp"
#include "db/mem/thread_number.hpp"

namespace keel::db::mem {

/// Newest commit: its number and its catalogue's root. Two roots in turn: the one of commit n is
/// overwritten by n + 2 only after n + 1 is published, which a reader that looks again notices.
class Newest {
  public:
    struct View {
        uint64_t id;
        uint64_t packed;  // root of the catalogue

        TreeView catalogue() const noexcept {
            return {static_cast<PageNo>(packed), static_cast<uint8_t>(packed >> 32), false};
        }
    };

    /// The writer, or before there are readers.
    void publish(uint64_t id, const Tree& catalogue) noexcept {
        roots_[id & 1].store(pack(catalogue), std::memory_order_release);
        id_.store(id, std::memory_order_seq_cst);  // pairs with the loads in Readers::begin
    }
    uint64_t id() const noexcept { return id_.load(std::memory_order_seq_cst); }
    uint64_t packed(uint64_t id) const noexcept {
        return roots_[id & 1].load(std::memory_order_acquire);
    }

  private:
    static uint64_t pack(const TreeView& tree) noexcept {
        return uint64_t{tree.depth} << 32 | tree.root;
    }
    alignas(64) std::atomic<uint64_t> id_ = 0;
    std::array<std::atomic<uint64_t>, 2> roots_ = {};
};

struct ReaderInfo {
    uint32_t slot;
    uint64_t view;
    uint64_t serial;    // which transaction of the slot
    uint64_t since_ms;  // when it was met first, by a commit or a report
    uint64_t thread;
};

/// Any thread.
class Readers {
  public:
    static constexpr uint32_t kSlots = 4096;
    static constexpr uint32_t kOwnSlot = kSlots;  // the store's own, for writing an image
    static_assert(kSlots >= kReadersMax);

    Readers();

    static constexpr uint32_t kNone = UINT32_MAX;
    /// The slot that was taken; kNone: there is none left.
    uint32_t begin(const Newest& newest, Newest::View& view) noexcept;
    /// In the store's own slot, which only one thread uses at a time.
    Newest::View begin_own(const Newest& newest) noexcept;
    /// Between ending() and end() the slot still counts as taken, although no page is read any
    /// more.
    void ending(uint32_t slot) noexcept {
        words_[slot].view.store(kEnding, std::memory_order_release);
    }
    void end(uint32_t slot) noexcept {
        // release: what the reader read is done before the writer finds the word free.
        words_[slot].view.store(0, std::memory_order_release);
    }
    /// What the slot's owner keeps there: has its Snapshot been made? Set at the slot's first use.
    bool& made(uint32_t slot) noexcept { return words_[slot].made; }

    /// Commits being read, ascending, each once. `views` is reused.
    void live_views(std::vector<uint64_t>& views) const;
    std::vector<ReaderInfo> live() const;
    uint64_t count() const noexcept;
    bool any_ending() const noexcept;

  private:
    static constexpr uint64_t kEnding = UINT64_MAX;

    struct alignas(64) Word {
        std::atomic<uint64_t> view;    // 0: free
        std::atomic<uint64_t> serial;  // the rest is relaxed: for reports only
        std::atomic<uint64_t> thread;
        bool made;  // the owner's
    };
    /// Which transaction of a slot was met last, and when for the first time. Not in the slot's
    /// own line, which whoever looks would take away from its reader. Relaxed: for reports only.
    struct Sight {
        std::atomic<uint64_t> serial;
        std::atomic<uint64_t> since_ms;
    };
    void note(uint32_t slot, const Word& word) const noexcept {
        const uint64_t serial = word.serial.load(std::memory_order_relaxed);
        Sight& sight = sights_[slot];
        if (sight.serial.load(std::memory_order_relaxed) == serial) return;
        sight.since_ms.store(core::monotonic_coarse_ms(), std::memory_order_relaxed);
        sight.serial.store(serial, std::memory_order_relaxed);
    }

    /// Threads start their search in places of their own, and find the same slot again.
    static uint32_t first_slot(uint64_t thread) noexcept {
        constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
        constexpr int kSlotBits = std::countr_zero(kSlots);
        return static_cast<uint32_t>((thread >> 6) * kMultiplier >> (64 - kSlotBits));
    }
    void publish(Word& word, uint32_t slot, const Newest& newest, uint64_t thread,
                 Newest::View& view) noexcept;

    template <class F>
    void each_used(F&& look) const {
        for (uint32_t i = 0; i < used_.size(); ++i) {
            uint64_t bits = used_[i].load(std::memory_order_seq_cst);
            for (; bits != 0; bits &= bits - 1) {
                const uint32_t slot = i * 64 + static_cast<uint32_t>(std::countr_zero(bits));
                look(slot, words_[slot]);
            }
        }
    }

    core::AddressRange memory_;  // both arrays
    Word* words_;
    Sight* sights_;
    std::array<std::atomic<uint64_t>, kSlots / 64 + 1> used_ =
        {};  // slots that were ever taken; only these are scanned
};

inline uint32_t Readers::begin(const Newest& newest, Newest::View& view) noexcept {
    const uint64_t thread = thread_number();
    const uint32_t start = first_slot(thread);
    for (uint32_t probe = 0; probe < kSlots; ++probe) {
        const uint32_t slot = (start + probe) % kSlots;
        Word& word = words_[slot];
        uint64_t free = word.view.load(std::memory_order_relaxed);
        if (free != 0) continue;
        const uint64_t id = newest.id();
        if (!word.view.compare_exchange_strong(free, id, std::memory_order_seq_cst)) continue;
        view.id = id;
        publish(word, slot, newest, thread, view);
        return slot;
    }
    return kNone;
}

inline void Readers::publish(Word& word, uint32_t slot, const Newest& newest, uint64_t thread,
                             Newest::View& view) noexcept {
    if (!word.made) [[unlikely]]
        used_[slot / 64].fetch_or(uint64_t{1} << (slot % 64), std::memory_order_seq_cst);
    view.packed = newest.packed(view.id);
    for (uint64_t now = newest.id(); now != view.id; now = newest.id()) {
        view.id = now;
        word.view.store(now, std::memory_order_seq_cst);
        view.packed = newest.packed(now);
    }
    word.serial.store(word.serial.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    word.thread.store(thread, std::memory_order_relaxed);
}

}  // namespace keel::db::mem
