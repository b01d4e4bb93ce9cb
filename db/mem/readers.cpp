#include "db/mem/readers.hpp"

#include <algorithm>
#include <thread>

namespace keel::db::mem {

Newest::View Readers::take_guarded(ReaderSlot& home, uint64_t thread,
                                   const Newest& newest) const noexcept {
    Newest::View view = {newest.id(), 0};
    while (true) {
        home.view.exchange(view.id, std::memory_order_seq_cst);
        view.packed = newest.packed(view.id);
        const uint64_t now = newest.id();
        if (now == view.id) break;
        view.id = now;
    }
    if (bare_ && (home.serial.load(std::memory_order_relaxed) + 1) % kBareAfter == 0)
        home.thread.exchange(thread, std::memory_order_seq_cst);
    return view;
}

Readers::Begun Readers::begin(const Newest& newest) noexcept {
    const uint64_t thread = thread_number();
    ReaderSlot& own = home(thread);
    uint64_t owner = own.thread.load(std::memory_order_relaxed);
    // A thread that is gone keeps its home, which the next one of its number finds.
    if (owner == 0 && own.thread.compare_exchange_strong(owner, thread | ReaderSlot::kGuarded,
                                                         std::memory_order_seq_cst)) {
        mark_used(number_of(own));
        owner = thread;
    }
    if ((owner & ~ReaderSlot::kGuarded) == thread && own.is_free())
        return {&own, take_guarded(own, thread, newest)};
    const uint32_t start = first_slot(thread);
    for (uint32_t probe = 0; probe < kShared; ++probe) {
        ReaderSlot& slot = slots_[(start + probe) % kShared];
        uint64_t free = slot.view.load(std::memory_order_relaxed);
        if (free != 0) continue;
        const uint64_t id = newest.id();
        if (!slot.view.compare_exchange_strong(free, id, std::memory_order_seq_cst)) continue;
        Newest::View view = {id, 0};
        publish(slot, newest, thread, view);
        return {&slot, view};
    }
    return {nullptr, {}};
}

void Readers::publish(ReaderSlot& slot, const Newest& newest, uint64_t thread,
                      Newest::View& view) noexcept {
    if (slot.snapshot == nullptr) [[unlikely]]
        mark_used(number_of(slot));
    view.packed = newest.packed(view.id);
    for (uint64_t now = newest.id(); now != view.id; now = newest.id()) {
        view.id = now;
        slot.view.store(now, std::memory_order_seq_cst);
        view.packed = newest.packed(now);
    }
    slot.thread.store(thread, std::memory_order_relaxed);
}

Newest::View Readers::begin_own(const Newest& newest) noexcept {
    ReaderSlot& slot = slots_[kOwnSlot];
    Newest::View view = {newest.id(), {}};
    slot.view.store(view.id, std::memory_order_seq_cst);
    publish(slot, newest, thread_number(), view);
    return view;
}

void Readers::live_views(std::vector<uint64_t>& views) {
    views.clear();
    const uint64_t thread = thread_number();
    bool any_bare = false;
    each_used([&](uint32_t number, ReaderSlot& slot) {
        const uint64_t owner = slot.thread.load(std::memory_order_seq_cst);
        if (number < kFirstHome || owner == thread || (owner & ReaderSlot::kGuarded) != 0) return;
        any_bare = true;
        const uint64_t serial = slot.serial.load(std::memory_order_relaxed);
        if (serial - slot.serial_seen < kBareAfter)
            slot.thread.store(owner | ReaderSlot::kGuarded, std::memory_order_seq_cst);
        slot.serial_seen = serial;
    });
    // It worked when the store was opened: that it is refused passes.
    while (any_bare && !core::process_memory_barrier()) std::this_thread::yield();
    each_used([&](uint32_t number, const ReaderSlot& slot) {
        const uint64_t view = slot.view.load(std::memory_order_seq_cst);
        if (view == 0 || view == ReaderSlot::kEnding) return;
        views.push_back(view);
        note(number, slot);
    });
    std::ranges::sort(views);
    const auto doubles = std::ranges::unique(views);
    views.erase(doubles.begin(), doubles.end());
}

std::vector<ReaderInfo> Readers::live() const {
    std::vector<ReaderInfo> readers;
    each_used([&](uint32_t number, const ReaderSlot& slot) {
        const uint64_t view = slot.view.load(std::memory_order_seq_cst);
        if (view == 0 || view == ReaderSlot::kEnding || number == kOwnSlot) return;
        note(number, slot);
        readers.push_back({number, view, slot.serial.load(std::memory_order_relaxed) + 1,
                           sights_[number].since_ms.load(std::memory_order_relaxed),
                           slot.thread.load(std::memory_order_relaxed) & ~ReaderSlot::kGuarded});
    });
    return readers;
}

uint64_t Readers::count() const noexcept {
    uint64_t live = 0;
    each_used([&](uint32_t, const ReaderSlot& slot) {
        if (slot.view.load(std::memory_order_seq_cst) != 0) ++live;
    });
    return live;
}

bool Readers::any_ending() const noexcept {
    bool ending = false;
    each_used([&](uint32_t, const ReaderSlot& slot) {
        ending |= slot.view.load(std::memory_order_seq_cst) == ReaderSlot::kEnding;
    });
    return ending;
}

}  // namespace keel::db::mem
