//! Damage, locks and crashes of the default store.

use std::fs;

use super::*;
use crate::engine::ids::{ForgeKind, Timestamp};
use crate::store::fault::{PlannedFault, Point};
use crate::store::record::{FORMAT, Format};
use crate::store::{
    Accepted, Claim, DeliveryId, Lane, NewDelivery, NewTask, Scope, Store, TaskKind,
};
use std::sync::Mutex;
use std::time::Duration;

const CACHE: u64 = 1 << 20;
const SCOPE: Scope = Scope {
    forge: ForgeKind::Github,
    installation: None,
    repo: None,
};

#[tokio::test]
async fn what_was_accepted_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), CACHE).unwrap().store;
    store.accept(delivery("d1"), Timestamp(1)).await.unwrap();
    let before = store.dump().await.unwrap();
    drop(store);
    let store = open(dir.path(), CACHE).unwrap().store;
    assert_eq!(store.dump().await.unwrap(), before);
}

#[tokio::test]
async fn what_was_leased_is_put_back_when_the_store_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), CACHE).unwrap().store;
    store.accept(delivery("d1"), Timestamp(1)).await.unwrap();
    claim(&store).await;
    drop(store);
    let store = open(dir.path(), CACHE).unwrap().store;
    insta::assert_snapshot!(store.dump().await.unwrap(), @r#"
    task 1 plan deliver github/-/- d1 waiting due=1 attempt=1 fault="its worker was lost"
    delivery d1 github/-/- push 2 bytes
    "#);
}

#[tokio::test]
async fn a_damaged_directory_is_set_aside_and_a_new_one_begun() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("store");
    for number in 1..=2 {
        let store = open(&dir, CACHE).unwrap().store;
        for name in 0..200 {
            let delivery = delivery(&format!("d{name}"));
            store.accept(delivery, Timestamp(1)).await.unwrap();
        }
        drop(store);
        damage(&dir);
        let opened = open(&dir, CACHE).unwrap();
        let aside = parent.path().join(format!("store.broken-{number}"));
        assert_eq!(opened.set_aside.as_ref(), Some(&aside));
        assert!(aside.join("db").exists(), "nothing is thrown away");
        assert_eq!(opened.store.dump().await.unwrap(), "");
        assert_eq!(
            opened
                .store
                .accept(delivery("d1"), Timestamp(2))
                .await
                .unwrap(),
            Accepted::New
        );
    }
}

/// Wherever the damage is, the store opens: as a whole, as what was written before
/// the damage, or anew.
#[tokio::test]
async fn a_store_opens_whatever_part_of_it_is_damaged() {
    let whole = tempfile::tempdir().unwrap();
    let store = open(whole.path(), CACHE).unwrap().store;
    for name in 0..40 {
        let delivery = delivery(&format!("d{name}"));
        store.accept(delivery, Timestamp(1)).await.unwrap();
    }
    drop(store);
    for part in 0..32 {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("store");
        copy(whole.path(), &dir);
        let mut bytes = fs::read(dir.join("db")).unwrap();
        let length = bytes.len() / 32;
        bytes[part * length..][..64].fill(0x5a);
        fs::write(dir.join("db"), bytes).unwrap();
        let opened = open(&dir, CACHE).unwrap();
        let lines = opened.store.dump().await.unwrap().lines().count();
        assert_eq!(lines % 2, 0, "a delivery and its task come together");
        assert!(opened.set_aside.is_none() || lines == 0);
        opened.store.probe(Timestamp(2)).await.unwrap();
    }
}

#[test]
fn a_directory_in_use_is_not_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let held = open(dir.path(), CACHE).unwrap();
    let error = open(dir.path(), CACHE).map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::InUse(_)), "{error:?}");
    drop(held);
    assert_eq!(open(dir.path(), CACHE).unwrap().set_aside, None);
}

#[test]
fn who_only_looks_sets_nothing_aside_and_takes_no_lock_along() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("store");
    let held = open(&dir, CACHE).unwrap();
    let error = look(&dir, CACHE).unwrap_err();
    assert!(matches!(error, StoreError::InUse(_)), "{error:?}");
    drop(held);
    assert_eq!(look(&dir, CACHE).unwrap(), None);
    assert_eq!(open(&dir, CACHE).unwrap().set_aside, None);
    fs::write(dir.join("db"), b"").unwrap();
    assert!(look(&dir, CACHE).unwrap().is_some());
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}

#[test]
fn a_store_of_a_newer_trimtab_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let newer = Format {
        minor: FORMAT.minor + 1,
        ..FORMAT
    };
    let Ok(sled) = Sled::open(dir.path(), CACHE) else {
        panic!("an empty directory opens")
    };
    let stamp = serde_json::to_vec(&newer).unwrap();
    sled.apply(Writes::from([(vec![0], Some(stamp))])).unwrap();
    sled.flush().unwrap();
    drop(sled);
    let error = look(dir.path(), CACHE).unwrap_err();
    assert!(matches!(error, StoreError::Format { .. }), "{error:?}");
    for _ in 0..2 {
        let error = open(dir.path(), CACHE).map(|_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the store has format 1.6, which this Trimtab (format 1.5) must not write"
        );
    }
}

#[test]
fn a_path_that_is_a_file_is_an_error_and_stays() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("store");
    fs::write(&path, "mine").unwrap();
    assert!(open(&path, CACHE).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

/// Kills the process at every point of every step of a task's life, and says what
/// the next process finds. Between "before" and "after" there is nothing.
#[tokio::test]
async fn a_step_happens_as_a_whole_wherever_the_process_dies() {
    let mut found = Vec::new();
    for operation in ["accept", "claim", "complete", "fail"] {
        for point in Point::ALL {
            let left = tempfile::tempdir().unwrap();
            let dir = tempfile::tempdir().unwrap();
            let crash = Arc::new(Crash::new(operation, point, dir.path(), left.path()));
            let hook = Arc::clone(&crash) as Arc<dyn Faults>;
            let store = open_with(dir.path(), CACHE, hook).unwrap().store;
            live(&store).await.unwrap_err();
            assert!(crash.happened(), "{operation} at {point:?}");
            let next = open(left.path(), CACHE).unwrap();
            assert_eq!(next.set_aside, None);
            let dump = next.store.dump().await.unwrap();
            found.push(format!("-- {operation} {point:?}\n{dump}"));
        }
    }
    insta::assert_snapshot!(found.concat(), @r#"
    -- accept Prepared
    -- accept Applied
    -- accept Flushed
    task 1 plan deliver github/-/- d1 waiting due=1 attempt=0
    delivery d1 github/-/- push 2 bytes
    -- claim Prepared
    task 1 plan deliver github/-/- d1 waiting due=1 attempt=0
    delivery d1 github/-/- push 2 bytes
    -- claim Applied
    task 1 plan deliver github/-/- d1 waiting due=1 attempt=0
    delivery d1 github/-/- push 2 bytes
    -- claim Flushed
    task 1 plan deliver github/-/- d1 waiting due=1 attempt=1 fault="its worker was lost"
    delivery d1 github/-/- push 2 bytes
    -- complete Prepared
    task 1 plan deliver github/-/- d1 waiting due=1 attempt=1 fault="its worker was lost"
    delivery d1 github/-/- push 2 bytes
    -- complete Applied
    task 1 plan deliver github/-/- d1 waiting due=1 attempt=1 fault="its worker was lost"
    delivery d1 github/-/- push 2 bytes
    -- complete Flushed
    task 2 background redeliver-missed github/-/- waiting due=1 attempt=0
    -- fail Prepared
    task 2 background redeliver-missed github/-/- waiting due=1 attempt=0
    task 3 plan deliver github/-/- d2 waiting due=1 attempt=1 fault="its worker was lost"
    delivery d2 github/-/- push 2 bytes
    -- fail Applied
    task 2 background redeliver-missed github/-/- waiting due=1 attempt=0
    task 3 plan deliver github/-/- d2 waiting due=1 attempt=1 fault="its worker was lost"
    delivery d2 github/-/- push 2 bytes
    -- fail Flushed
    task 2 background redeliver-missed github/-/- waiting due=1 attempt=0
    task 3 plan deliver github/-/- d2 dead at=1 attempt=1 fault="hopeless"
    delivery d2 github/-/- push 2 bytes
    "#);
}

/// One delivery from its arrival to the failure of what followed from it.
async fn live(store: &Embedded) -> Result<(), StoreError> {
    let now = Timestamp(1);
    store.accept(delivery("d1"), now).await?;
    let first = lease(store).await?;
    let then = NewTask {
        scope: SCOPE,
        kind: TaskKind::RedeliverMissed,
        due: now,
    };
    store.complete(&first, vec![then], now).await?;
    store.accept(delivery("d2"), now).await?;
    let second = lease(store).await?;
    let next = crate::store::Next::Bury;
    store.fail(&second, next, "hopeless", now).await?;
    Ok(())
}

/// Stops once, and keeps the files as they lie on the disk at that moment.
struct Crash {
    operation: &'static str,
    point: Point,
    from: PathBuf,
    to: PathBuf,
    dead: Mutex<bool>,
}

impl Crash {
    fn new(operation: &'static str, point: Point, from: &Path, to: &Path) -> Self {
        Self {
            operation,
            point,
            from: from.to_owned(),
            to: to.to_owned(),
            dead: Mutex::new(false),
        }
    }

    fn happened(&self) -> bool {
        *self.dead.lock().unwrap()
    }
}

impl Faults for Crash {
    fn reached(&self, operation: &'static str, point: Point) -> Result<(), PlannedFault> {
        let mut dead = self.dead.lock().unwrap();
        if !*dead && (operation, point) == (self.operation, self.point) {
            copy(&self.from, &self.to);
            *dead = true;
        }
        if *dead {
            return Err(PlannedFault { operation, point });
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn delivery(name: &str) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::parse(name).unwrap(),
        scope: SCOPE,
        event: "push".to_owned(),
        body: b"{}".to_vec(),
    }
}

async fn claim(store: &Embedded) {
    lease(store).await.unwrap();
}

async fn lease(store: &Embedded) -> Result<crate::store::Lease, StoreError> {
    let minute = Duration::from_mins(1);
    match store.claim(Lane::Plan, Timestamp(1), minute).await? {
        Claim::Leased(lease) => Ok(*lease),
        Claim::Idle(_) => panic!("nothing to claim"),
    }
}

/// Overwrites all that sled wrote.
fn damage(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "db" || name.starts_with("snap") {
            let mut bytes = fs::read(entry.path()).unwrap();
            for byte in &mut bytes {
                *byte ^= 0xa5;
            }
            fs::write(entry.path(), bytes).unwrap();
        }
    }
}
