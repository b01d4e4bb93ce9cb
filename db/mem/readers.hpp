#pragma once

// Who reads which commit.
//
// A reader publishes the commit it reads in a word of its own, and looks again whether that commit
// is still the newest. The writer publishes a new commit first and scans the words afterwards. So
// either the writer sees the word, or the reader sees the new commit and publishes that one
// instead: no page that a reader can reach is ever reused. Between the two steps each side passes a
// full memory barrier:
//
// - A shared slot's word is taken by an exchange, which is one.
// - A thread has a slot of its own, its home, which it takes by plain stores while it is free
//   (further transactions of the thread go to shared slots). A barrier follows; but a home that is
//   used often is *bare*: its thread passes none, and the writer has every thread pass one
//   (core::process_memory_barrier) before it scans. That costs the writer microseconds where the
//   reader runs on another processor, so the thread makes its home bare only every kBareAfter
//   transactions, and a writer that finds one with fewer since the last commit ends it. Whose own
//   home it is needs no barrier.
//
// Why the flag can change at any time. The reader stores its word, then looks at the flag, then at
// the newest commit; the writer publishes commit c, then looks at the flag.
//   The writer reads bare: it orders the barrier. A word stored before it is seen by the scan; what
//   a reader does behind it sees c.
//   The writer reads not bare, and so does the reader: both pass barriers of their own.
//   The writer reads not bare, the reader bare. Either the flag was set after the writer looked: it
//   is set by an exchange, behind which the reader sees c. Or the writer has cleared it before,
//   and passed a barrier of all threads behind that: a reader that still read the old flag stored
//   its word before, so the scan sees it.

#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include "core/clock.hpp"
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

class Snapshot;

/// One reader's; fresh memory, which is zero, is a free one.
struct alignas(64) ReaderSlot {
    static constexpr uint64_t kEnding = UINT64_MAX;
    static constexpr uint64_t kGuarded = 1;  // numbers of threads are even

    std::atomic<uint64_t> view;    // the commit that is read, or kEnding; 0: free
    std::atomic<uint64_t> serial;  // transactions that have ended here; relaxed
    std::atomic<uint64_t> thread;  // its number, relaxed. A home's: whose it is, for good; 0:
                                   // nobody's; plus kGuarded while it is not bare
    Snapshot* snapshot;            // whoever has the slot: made at its first use
    uint64_t serial_seen;          // of a bare home, the writer's: `serial` at its last commit

    bool is_bare_home_of(uint64_t number) const noexcept {
        return thread.load(std::memory_order_relaxed) == number;
    }
    /// Of a home, for its thread: nobody else can take it.
    bool is_free() const noexcept {
        // acquire: another thread may have ended the last transaction here, and what that one read
        // has to be done before the writer, who sees the next view alone, reuses it.
        return view.load(std::memory_order_acquire) == 0;
    }
    /// What was begun here says that it ends. Up to end() the slot still counts as taken, although
    /// no page is read any more.
    void ending() noexcept {
        serial.store(serial.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        view.store(kEnding, std::memory_order_release);
    }
    void end() noexcept {
        // release: what the reader read is done before the writer finds the slot free.
        view.store(0, std::memory_order_release);
    }
};

/// Any thread.
class Readers {
    /// Which transaction of a slot was met last, its number counted from 1, and when for the first
    /// time. Not in the slot's own line, which whoever looks would take away from its reader.
    /// Relaxed: for reports only.
    struct Sight {
        std::atomic<uint64_t> serial;
        std::atomic<uint64_t> since_ms;
    };

  public:
    static constexpr uint32_t kShared = 4096;
    static constexpr uint32_t kOwnSlot = kShared;  // the store's own, for writing an image
    static constexpr uint32_t kFirstHome = kShared + 1;
    static constexpr uint32_t kHomes = 1024;
    static constexpr uint32_t kSlots = kFirstHome + kHomes;
    static_assert(kShared >= kReadersMax);
    static constexpr size_t kBytes = kSlots * (sizeof(ReaderSlot) + sizeof(Sight));

    /// In fresh memory of kBytes. `bare`: may homes be bare? Only where
    /// core::process_memory_barrier() works.
    Readers(uint8_t* memory, bool bare) noexcept
        : slots_(reinterpret_cast<ReaderSlot*>(memory)),
          sights_(reinterpret_cast<Sight*>(slots_ + kSlots)),
          bare_(bare) {}

    struct Begun {
        ReaderSlot* slot;  // the one that was taken; null: there is none left
        Newest::View view;
    };
    /// The usual way, which needs nothing but the thread's home, where that is bare and free; its
    /// Snapshot has been made. False: it is taken, and take_guarded() is to follow.
    ReaderSlot& home(uint64_t thread) const noexcept { return slots_[home_slot(thread)]; }
    static bool take_bare(ReaderSlot& home, uint64_t thread, const Newest& newest,
                          Newest::View& view) noexcept;
    /// Where the home is not bare any more, or a commit came in between.
    Newest::View take_guarded(ReaderSlot& home, uint64_t thread,
                              const Newest& newest) const noexcept;
    /// Any other.
    Begun begin(const Newest& newest) noexcept;
    /// In the store's own slot, which only one thread uses at a time.
    Newest::View begin_own(const Newest& newest) noexcept;
    void end_own() noexcept {
        slots_[kOwnSlot].ending();
        slots_[kOwnSlot].end();
    }
    uint32_t number_of(const ReaderSlot& slot) const noexcept {
        return static_cast<uint32_t>(&slot - slots_);
    }

    /// Commits being read, ascending, each once; of readers that still see a commit older than the
    /// newest, all. By the writer, behind Newest::publish(). `views` is reused.
    void live_views(std::vector<uint64_t>& views);
    std::vector<ReaderInfo> live() const;
    uint64_t count() const noexcept;
    bool any_ending() const noexcept;

  private:
    // Transactions of a thread for which one barrier of all threads is worth its price: about 2 ns
    // each to 8 us.
    static constexpr uint64_t kBareAfter = 4096;

    void note(uint32_t number, const ReaderSlot& slot) const noexcept {
        const uint64_t serial = slot.serial.load(std::memory_order_relaxed) + 1;
        Sight& sight = sights_[number];
        if (sight.serial.load(std::memory_order_relaxed) == serial) return;
        sight.since_ms.store(core::monotonic_coarse_ms(), std::memory_order_relaxed);
        sight.serial.store(serial, std::memory_order_relaxed);
    }

    static uint64_t hash(uint64_t thread) noexcept {
        constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
        return (thread >> 6) * kMultiplier;
    }
    static uint32_t home_slot(uint64_t thread) noexcept {
        return kFirstHome + static_cast<uint32_t>(hash(thread) >> (64 - std::countr_zero(kHomes)));
    }
    /// Threads start their search in places of their own, and find the same slot again.
    static uint32_t first_slot(uint64_t thread) noexcept {
        return static_cast<uint32_t>(hash(thread) >> (64 - std::countr_zero(kShared)));
    }
    void publish(ReaderSlot& slot, const Newest& newest, uint64_t thread,
                 Newest::View& view) noexcept;
    /// Before the slot is taken, or looked at again behind the newest commit.
    void mark_used(uint32_t slot) noexcept {
        used_[slot / 64].fetch_or(uint64_t{1} << (slot % 64), std::memory_order_seq_cst);
        used_groups_[slot / kGroup].fetch_or(uint64_t{1} << (slot % kGroup / 64),
                                             std::memory_order_seq_cst);
    }

    template <class F>
    void each_used(F&& look) const {
        for (uint32_t group = 0; group < used_groups_.size(); ++group) {
            uint64_t used = used_groups_[group].load(std::memory_order_seq_cst);
            for (; used != 0; used &= used - 1) {
                const uint32_t i = group * 64 + static_cast<uint32_t>(std::countr_zero(used));
                uint64_t bits = used_[i].load(std::memory_order_seq_cst);
                for (; bits != 0; bits &= bits - 1) {
                    const uint32_t slot = i * 64 + static_cast<uint32_t>(std::countr_zero(bits));
                    look(slot, slots_[slot]);
                }
            }
        }
    }

    ReaderSlot* const slots_;
    Sight* const sights_;
    const bool bare_;
    // Slots that were ever taken; only these are scanned. And which words of that are not 0.
    static constexpr uint32_t kGroup = 64 * 64;
    std::array<std::atomic<uint64_t>, kSlots / 64 + 1> used_ = {};
    std::array<std::atomic<uint64_t>, kSlots / kGroup + 1> used_groups_ = {};
};

inline bool Readers::take_bare(ReaderSlot& home, uint64_t thread, const Newest& newest,
                               Newest::View& view) noexcept {
    const uint64_t id = newest.id();
    home.view.store(id, std::memory_order_release);
    // The processor's barrier is the writer's business.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const bool bare = home.is_bare_home_of(thread);
    view.id = id;
    view.packed = newest.packed(id);
    return bare && newest.id() == id;
}

}  // namespace keel::db::mem
