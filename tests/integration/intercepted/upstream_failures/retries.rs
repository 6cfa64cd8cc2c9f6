//! Second attempts: one at most, and only where the first did not act or acting twice does no harm.

use super::{CLEAN, Client, H1, H2, Served, Tally, ask, ok, read_request, refusal, world};
use crate::support::client::RawClient;
use crate::support::intercept::text;
use crate::support::origin::{Code, Frames};
use futures_util::future::join_all;
use http::Method;
use tokio::sync::watch;

/// Hangs up on the first `times` requests, each on a connection of its own; answers the others with what they brought.
async fn hang_up(stream: Served, times: usize, tally: Tally) {
    let mut connection = RawClient::over(stream);
    while let Some((_, body)) = read_request(&mut connection).await {
        tally.add();
        if tally.count() <= times {
            return;
        }
        connection.send(&ok(&String::from_utf8_lossy(&body))).await;
    }
}

#[tokio::test]
async fn a_connection_that_dies_with_its_request_is_replaced_once_where_that_does_no_harm() {
    // How often the origin hangs up; the status, and how often it was asked.
    let cases = [
        (Method::GET, "", 1, 200, 2),
        (Method::DELETE, "", 1, 200, 2),
        (Method::OPTIONS, "", 1, 200, 2),
        (Method::PUT, CLEAN, 1, 200, 2),
        (Method::POST, CLEAN, 1, 502, 1),
        (Method::POST, "", 1, 502, 1),
        (Method::PATCH, CLEAN, 1, 502, 1),
        (Method::GET, "", 9, 502, 2),
        (Method::PUT, CLEAN, 9, 502, 2),
        (Method::POST, CLEAN, 9, 502, 1),
    ];
    for (method, body, times, status, asked) in cases {
        let tally = Tally::default();
        let counted = tally.clone();
        let (_origin, world) = world(&[H1], "", move |_, stream| hang_up(stream, times, counted.clone())).await;
        let response = ask(&world, Client::Http1, method.clone(), body).await;
        assert_eq!((response.status().as_u16(), tally.count()), (status, asked), "{method} {body}, hung up {times} times");
        if status == 200 {
            assert_eq!(text(response).await, body, "{method}: the held bytes go a second time, whole");
        } else {
            assert_eq!(refusal(response).await.1, "upstream_failed", "{method}");
        }
    }
}

/// Servers close idle connections when they please: the next request notices, its client does not.
#[tokio::test]
async fn connections_that_die_idle_are_noticed_by_nobody() {
    let (origin, world) = world(&[H1], "", |_, stream| async move {
        let mut connection = RawClient::over(stream);
        if let Some((_, body)) = read_request(&mut connection).await {
            connection.send(&ok(&String::from_utf8_lossy(&body))).await;
        }
    })
    .await;
    for (method, body) in [(Method::GET, ""), (Method::PUT, CLEAN)] {
        for _ in 0..10 {
            let response = ask(&world, Client::Http1, method.clone(), body).await;
            assert_eq!((response.status().as_u16(), text(response).await.as_str()), (200, body), "{method}");
        }
    }
    assert_eq!(origin.handshakes().len(), 20);
}

/// What an HTTP/2 origin does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Says that it looked at nothing, and hangs up.
    GoesAway,
    /// Says so, and leaves the connection open.
    GoesAwayAndStays,
    /// Says that it did not look at this one.
    Refuses,
    /// Fails on it.
    Fails,
    /// Says that it will finish this one, and hangs up without.
    BreaksItsWord,
    /// Hangs up without a word.
    HangsUp,
}

/// Does so with the first `times` requests, on whatever connection, and answers the others.
async fn misbehave(stream: Served, does: Does, times: usize, tally: Tally, done: watch::Receiver<bool>) {
    let Some(mut frames) = Frames::accept(stream).await else { return };
    while let Some(id) = frames.request().await {
        tally.add();
        if tally.count() > times {
            frames.answer(id, b"hello").await;
            continue;
        }
        match does {
            Does::GoesAway => return frames.go_away(0).await,
            Does::GoesAwayAndStays => {
                frames.go_away(0).await;
                let mut done = done;
                // Open until the test is over, whatever the proxy does with its end.
                let _ = done.wait_for(|done| *done).await;
                return;
            }
            Does::Refuses => frames.reset(id, Code::RefusedStream).await,
            Does::Fails => frames.reset(id, Code::InternalError).await,
            Does::BreaksItsWord => return frames.go_away(id).await,
            Does::HangsUp => return,
        }
    }
}

#[tokio::test]
async fn streams_that_were_not_looked_at_are_asked_for_once_more_whatever_they_do() {
    // How often the origin does so; the status, and how often it was asked.
    let cases = [
        (Does::GoesAway, Method::POST, 1, 200, 2),
        (Does::GoesAway, Method::GET, 1, 200, 2),
        (Does::GoesAway, Method::POST, 9, 502, 2),
        (Does::GoesAwayAndStays, Method::POST, 1, 200, 2),
        (Does::GoesAwayAndStays, Method::POST, 9, 502, 2),
        (Does::Refuses, Method::POST, 1, 200, 2),
        (Does::Refuses, Method::GET, 1, 200, 2),
        (Does::Refuses, Method::POST, 9, 502, 2),
        (Does::Fails, Method::POST, 1, 502, 1),
        (Does::Fails, Method::GET, 1, 502, 1),
        (Does::BreaksItsWord, Method::POST, 1, 502, 1),
        (Does::HangsUp, Method::POST, 1, 502, 1),
        (Does::HangsUp, Method::GET, 1, 200, 2),
        (Does::HangsUp, Method::PUT, 1, 200, 2),
        (Does::HangsUp, Method::GET, 9, 502, 2),
    ];
    for (does, method, times, status, asked) in cases {
        let tally = Tally::default();
        let (counted, (_done, watched)) = (tally.clone(), watch::channel(false));
        let (_origin, world) =
            world(&[H2, H1], "", move |_, stream| misbehave(stream, does, times, counted.clone(), watched.clone())).await;
        let body = if method == Method::GET { "" } else { CLEAN };
        let response = ask(&world, Client::Http2, method.clone(), body).await;
        assert_eq!((response.status().as_u16(), tally.count()), (status, asked), "{does:?} {method}, {times} times");
        if status != 200 {
            assert_eq!(refusal(response).await.1, "upstream_failed", "{does:?} {method}");
        }
    }
}

/// A cloud that restarts says so to everybody at once. The proxy runs on several threads, so that the streams race the end of
/// their connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_streams_of_a_connection_that_goes_away_find_another_one() {
    const STREAMS: usize = 20;
    let (_done, watched) = watch::channel(false);
    let (origin, world) = world(&[H2, H1], "", move |before, stream| {
        let mut done = watched.clone();
        async move {
            let Some(mut frames) = Frames::accept(stream).await else { return };
            let mut seen = 0;
            while let Some(id) = frames.request().await {
                seen += 1;
                if before > 0 {
                    frames.answer(id, b"hello").await;
                } else if seen == STREAMS {
                    frames.go_away(0).await;
                    let _ = done.wait_for(|done| *done).await;
                }
            }
        }
    })
    .await;
    let answers = join_all((0..STREAMS).map(|_| ask(&world, Client::Http2, Method::POST, CLEAN))).await;
    for response in answers {
        assert_eq!((response.status().as_u16(), text(response).await.as_str()), (200, "hello"));
    }
    assert_eq!(origin.handshakes().len(), 2, "one other for all of them");
}
