#include "db/mem/cursor.hpp"

namespace keel::db::mem {
namespace {

// A walk over a cold image asks for so many pages at once.
constexpr PageNo kReadAheadPages = 64;

}  // namespace

Cursor::Cursor(Writer& writer, OpenTable& table)
    : space_(writer.space()), writer_(&writer), table_(&table) {
    writer.attach(*this);
}

Cursor::~Cursor() {
    if (writer_ != nullptr) writer_->detach(*this);
}

void Cursor::enter_slowly() const {
    if (snapshot_serial_ != nullptr)
        throw Error(ErrorCode::TxnEnded, "cursor of a read transaction that has ended");
    if (writer_ == nullptr)
        throw Error(ErrorCode::TxnEnded, "cursor of a write transaction that has ended");
    writer_->check();
    if (dropped_)
        throw writer_->error(ErrorCode::NoSuchTable, *table_, "dropped in this transaction");
}

void Cursor::begin_ahead() noexcept {
    ahead_at_ = kPageBytes;
    if (path_.depth < 2) return;
    const size_t above = path_.leaf() - 1;
    const uint8_t* const branch = space_.raw(path_.page[above]);
    const size_t next = path_.index[above] + 1U;
    if (next >= header(branch).count) return;
    const PageNo number = links(branch)[next].child;
    if (number % kReadAheadPages == 0) space_.will_need(number, 2 * kReadAheadPages);
    ahead_ = space_.raw(number);
    // The leaf behind it: its first lines, so that its header is here when the walk is there.
    if (next + 1 < header(branch).count) prefetch_leaf(space_.raw(links(branch)[next + 1].child));
    // What lies between its slots and its records nobody reads.
    const size_t records_at = std::min<size_t>(header(ahead_).heap, kPageBytes);
    ahead_at_ =
        static_cast<uint32_t>(std::max(records_at / kLineBytes * kLineBytes, kPrefetchedBytes));
    const size_t lines = (kPageBytes - ahead_at_) / kLineBytes;
    const size_t entries = header(leaf_page(space_, path_)).count;
    ahead_step_ = static_cast<uint32_t>((lines / entries + 1) * kLineBytes);
}

void Cursor::ask_for_next_group(const uint8_t* page, uint16_t index) noexcept {
    const size_t count = header(page).count;
    const uint64_t* const all = heads(page);
    const uint16_t* const slots = leaf_slots(page);
    size_t next = index + 1U;
    while (next < count && all[next] == all[index]) ++next;
    // Of this group the last record is looked at, of the next one the first.
    __builtin_prefetch(page + slots[next - 1]);
    if (next < count) {
        __builtin_prefetch(page + slots[next]);
    } else {
        begin_ahead();
    }
}

uint16_t Cursor::group_end(const uint8_t* page, uint16_t index) noexcept {
    const size_t count = header(page).count;
    const uint64_t* const all = heads(page);
    size_t next = index + 1U;
    while (next < count && all[next] == all[index]) ++next;
    // Mostly equal heads are one group.
    if (next == count || leaf_key(page, next - 1) != leaf_key(page, index)) return 0;
    return static_cast<uint16_t>(next);
}

Hit Cursor::arrive_at(const Path& path) {
    path_ = path;
    return arrive();
}

Hit Cursor::arrive_at_group(const Path& path) {
    path_ = path;
    ask_for_next_group(leaf_page(space_, path_), path_.index[path_.leaf()]);
    return arrive();
}

Hit Cursor::fail(State state) noexcept {
    state_ = state;
    path_valid_ = false;
    return std::nullopt;
}

Target Cursor::saved() const noexcept {
    return {{key_, key_bytes_}, dup() ? ByteView(value_, value_bytes_) : ByteView()};
}

Writer::Stable Cursor::saved_entry() const noexcept {
    return {{key_, key_bytes_}, {value_, value_bytes_}};
}

void Cursor::save_entry(ByteView key, ByteView value) {
    if (key.size() > sizeof key_ || (dup() && value.size() > sizeof value_)) [[unlikely]]
        throw writer_->error(ErrorCode::Corrupt, *table_, "an entry is longer than any can be");
    key_bytes_ = static_cast<uint16_t>(key.size());
    copy_short(key_, key.data(), key.size());
    value_bytes_ = 0;
    if (dup()) {
        value_bytes_ = static_cast<uint16_t>(value.size());
        copy_short(value_, value.data(), value.size());
    }
    saved_ = true;
}

void Cursor::save() {
    if (saved_) return;
    if (state_ == State::At) {
        const LeafRecord record = record_at(space_, path_);
        save_entry(record.key, record.value);
    }
    keep_deleted();
}

void Cursor::keep_deleted() {
    if (state_ != State::Gap || saved_) return;
    const LeafRecord record = leaf_record_at(deleted_);
    save_entry(record.key, record.value);
}

void Cursor::on_erase_one(const Writer::Stable& victim) noexcept {
    if (state_ != State::At || ByteView(key_, key_bytes_) != victim.key) return;
    if (dup() && ByteView(value_, value_bytes_) != victim.value) return;
    state_ = State::Gap;
}

void Cursor::on_erase_range(std::optional<ByteView> from, std::optional<ByteView> to) noexcept {
    if (state_ != State::At) return;
    const ByteView key(key_, key_bytes_);
    if ((from && key < *from) || (to && key >= *to)) return;
    state_ = State::Gap;
}

void Cursor::find_again() {
    const bool found = descend(space_, tree(), saved(), path_);
    KEEL_ASSERT(found, "an entry that is deleted turns its cursors into gaps");
    path_is_current();
}

bool Cursor::successor(Path& path) {
    if (path_current()) {
        path = path_;
        return settle(space_, path);
    }
    if (descend(space_, tree(), saved(), path)) return step_next(space_, path);
    return settle(space_, path);
}

bool Cursor::predecessor(Path& path) {
    if (path_current()) {
        path = path_;
        return step_prev(space_, path);
    }
    // The entry itself, where it was put again, counts as behind the gap.
    return descend(space_, tree(), saved(), path) || step_prev(space_, path);
}

bool Cursor::landing(Path& path) {
    keep_deleted();
    const bool found = successor(path);
    if (!dup()) return found;
    const ByteView key(key_, key_bytes_);
    if (found && key_at(space_, path) == key) return true;
    Path before;
    if (predecessor(before) && key_at(space_, before) == key) return false;
    return found;
}

bool Cursor::find_first(ByteView key, Path& path) const {
    if (descend(space_, tree(), {key}, path)) return true;
    return dup() && settle(space_, path) && key_at(space_, path) == key;
}

bool Cursor::find_last(ByteView key, Path& path) const {
    if (!dup()) return descend(space_, tree(), {key}, path);
    descend(space_, tree(), {.key = key, .past_group = true}, path);
    return step_prev(space_, path) && key_at(space_, path) == key;
}

std::optional<ByteView> Cursor::group_key() {
    if (state_ == State::At) {
        restore();
        return key_at(space_, path_);
    }
    if (state_ != State::Gap) return std::nullopt;
    keep_deleted();
    Path path;
    const ByteView own(key_, key_bytes_);
    if (find_first(own, path)) return own;
    if (!landing(path)) return std::nullopt;
    return key_at(space_, path);
}

bool Cursor::victim(Path& path) {
    if (state_ == State::At) {
        restore();
        path = path_;
        return true;
    }
    return state_ == State::Gap && landing(path);
}

bool Cursor::step_group(Path& path, bool forward, ByteView key) {
    const uint8_t* const page = leaf_page(space_, path);
    uint16_t& index = path.index[path.leaf()];
    if (forward ? index + 1 < header(page).count : index > 0) {
        const auto next = static_cast<uint16_t>(forward ? index + 1 : index - 1);
        if (heads(page)[next] != heads(page)[index] || leaf_key(page, next) != key) return false;
        index = next;
        if (forward) look_ahead(1);
        return true;
    }
    Path stepped = path;
    if (!(forward ? step_next(space_, stepped) : step_prev(space_, stepped)) ||
        key_at(space_, stepped) != key)
        return false;
    path = stepped;
    if (forward && &path == &path_) begin_ahead();
    return true;
}

Hit Cursor::first() {
    enter();
    if (at_first_place()) return arrive();
    Path path;
    if (!descend_first(space_, tree(), path)) return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::last() {
    enter();
    Path path;
    if (!descend_last(space_, tree(), path)) return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::next() {
    enter();
    if (state_ != State::At) {
        // What followed a deleted entry stands in its place.
        if (state_ == State::Gap && path_current() &&
            path_.index[path_.leaf()] < header(leaf_page(space_, path_)).count)
            return arrive();
        return next_from_elsewhere();
    }
    restore();
    const uint8_t* const page = leaf_page(space_, path_);
    uint16_t& index = path_.index[path_.leaf()];
    if (index + 1U < header(page).count) [[likely]] {
        ++index;
        look_ahead(1);
        return arrive();
    }
    if (!step_next(space_, path_)) return std::nullopt;
    begin_ahead();
    return arrive();
}

bool Cursor::at_first_place() const noexcept {
    if ((state_ != State::At && state_ != State::Gap) || !path_current()) return false;
    for (size_t level = 0; level < path_.depth; ++level)
        if (path_.index[level] != 0) return false;
    return path_.depth > 0 && header(leaf_page(space_, path_)).count > 0;
}

Hit Cursor::next_from_elsewhere() {
    if (state_ == State::Fresh) return first();
    if (state_ != State::Gap) return std::nullopt;
    if (path_current()) {
        if (!settle(space_, path_)) return std::nullopt;
        return arrive();
    }
    Path path;
    if (!successor(path)) return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::prev() {
    enter();
    switch (state_) {
        case State::At: {
            restore();
            if (!step_prev(space_, path_)) return std::nullopt;
            return arrive();
        }
        case State::Gap: {
            Path path;
            if (!predecessor(path)) return std::nullopt;
            return arrive_at(path);
        }
        case State::Fresh:
        case State::End:
            return last();
        case State::Lost:
            break;
    }
    return std::nullopt;
}

Hit Cursor::next_nodup() {
    enter();
    if (state_ == State::Fresh) return first();
    if (state_ != State::At && state_ != State::Gap) return std::nullopt;
    keep_deleted();
    Path path;
    Target behind = {.key = {key_, key_bytes_}, .past_group = true};
    if (state_ == State::At) {
        restore();
        if (!dup()) return next();
        behind.key = key_at(space_, path_);
        const uint8_t* const page = leaf_page(space_, path_);
        uint16_t& index = path_.index[path_.leaf()];
        if (const uint16_t end = group_end(page, index); end != 0) {
            index = end;
            ask_for_next_group(page, end);
            return arrive();
        }
        path = path_;
        // Where heads show no end it mostly lies in the next leaf; else among heads that tie.
        const size_t last = header(page).count - 1U;
        path.index[path.leaf()] = leaf_key(page, last) == behind.key
                                      ? header(page).count
                                      : leaf_lower_bound(page, behind, true).index;
        if (!settle(space_, path)) return std::nullopt;
        if (key_at(space_, path) != behind.key) return arrive_at_group(path);
        const uint8_t* const next = leaf_page(space_, path);
        if (const uint16_t end = group_end(next, 0); end != 0) {
            path.index[path.leaf()] = end;
            return arrive_at_group(path);
        }
    }
    descend(space_, tree(), behind, path);
    if (!settle(space_, path)) return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::prev_nodup() {
    enter();
    if (state_ == State::Fresh || state_ == State::End) return last();
    if (state_ != State::At && state_ != State::Gap) return std::nullopt;
    keep_deleted();
    Target group = {.key = {key_, key_bytes_}};
    if (state_ == State::At) {
        restore();
        group.key = key_at(space_, path_);
    }
    Path path;
    descend(space_, tree(), group, path);
    if (!step_prev(space_, path)) return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::next_dup() {
    enter();
    if (state_ == State::Fresh) return first();
    if (state_ == State::At) {
        restore();
        if (!dup() || !step_group(path_, true, key_at(space_, path_))) return std::nullopt;
        return arrive();
    }
    keep_deleted();
    Path path;
    if (state_ != State::Gap || !successor(path) ||
        key_at(space_, path) != ByteView(key_, key_bytes_))
        return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::prev_dup() {
    enter();
    if (state_ == State::Fresh) return last();
    if (state_ == State::At) {
        restore();
        if (!dup() || !step_group(path_, false, key_at(space_, path_))) return std::nullopt;
        return arrive();
    }
    keep_deleted();
    Path path;
    if (state_ != State::Gap || !predecessor(path) ||
        key_at(space_, path) != ByteView(key_, key_bytes_))
        return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::first_dup() {
    enter();
    const std::optional<ByteView> key = group_key();
    Path path;
    if (!key || !find_first(*key, path)) return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::last_dup() {
    enter();
    if (state_ == State::At && dup()) {
        restore();
        uint16_t& index = path_.index[path_.leaf()];
        if (const uint16_t end = group_end(leaf_page(space_, path_), index); end != 0) {
            index = static_cast<uint16_t>(end - 1);
            return arrive();
        }
    }
    const std::optional<ByteView> key = group_key();
    Path path;
    if (!key || !find_last(*key, path)) return std::nullopt;
    return arrive_at(path);
}

Hit Cursor::current() {
    enter();
    if (state_ == State::At) {
        restore();
        return hit_at(path_);
    }
    Path path;
    if (state_ != State::Gap || !landing(path)) return std::nullopt;
    return arrive_at(path);
}

uint64_t Cursor::count_dups() {
    enter();
    const std::optional<ByteView> key = group_key();
    if (!key) return 0;
    if (!dup()) return 1;
    Path path;
    find_first(*key, path);
    const uint8_t* const page = leaf_page(space_, path);
    const Target behind = {.key = *key, .past_group = true};
    const uint16_t last = leaf_lower_bound(page, behind, true).index;
    if (last < header(page).count) return last - path.index[path.leaf()];
    return rank(space_, tree(), behind) - rank(space_, tree(), {*key});
}

Hit Cursor::seek(ByteView key) {
    enter();
    Path path;
    descend(space_, tree(), {key}, path);
    if (!settle(space_, path)) return fail(State::End);
    return arrive_at(path);
}

Hit Cursor::seek_exact(ByteView key) {
    enter();
    Path path;
    if (!find_first(key, path)) return fail(State::Lost);
    return arrive_at(path);
}

Hit Cursor::seek_both_exact(ByteView key, ByteView value) {
    enter();
    if (!dup()) refuse(ErrorCode::KindMismatch, "seek_both_exact on a plain table");
    Path path;
    if (!descend(space_, tree(), {key, value}, path)) return fail(State::Lost);
    return arrive_at(path);
}

Hit Cursor::seek_both_range(ByteView key, ByteView value) {
    enter();
    if (!dup()) refuse(ErrorCode::KindMismatch, "seek_both_range on a plain table");
    Path path;
    const bool exact = descend(space_, tree(), {key, value}, path);
    if (!exact && (!settle(space_, path) || key_at(space_, path) != key)) return fail(State::Lost);
    return arrive_at(path);
}

}  // namespace keel::db::mem
