//! `aws-chunked`: bodies sent in signed or counted chunks, with checksums after them.

use super::Request;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue};

/// Gives the request with the body that it means. Checksums that come as trailers become headers; signatures are left out.
///
/// # Errors
/// The body is not what its headers say.
pub(super) fn decode(request: Request) -> Result<Request, &'static str> {
    let is_chunked = header(&request, "x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    let encoding = header(&request, CONTENT_ENCODING.as_str()).unwrap_or_default().to_owned();
    if !is_chunked && !encoding.split(',').any(|coding| coding.trim() == "aws-chunked") {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    let (body, trailers) = chunks(&body).ok_or("The request's body is not aws-chunked as its headers say.")?;
    for line in trailers.split("\r\n") {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, value) = (HeaderName::try_from(name.trim()), HeaderValue::from_str(value.trim()));
        if let (Ok(name), Ok(value)) = (name, value)
            && name.as_str().starts_with("x-amz-checksum-")
        {
            parts.headers.insert(name, value);
        }
    }
    let rest: Vec<&str> = encoding.split(',').map(str::trim).filter(|c| !c.is_empty() && *c != "aws-chunked").collect();
    parts.headers.remove(CONTENT_ENCODING);
    if let Ok(rest) = HeaderValue::from_str(&rest.join(","))
        && !rest.is_empty()
    {
        parts.headers.insert(CONTENT_ENCODING, rest);
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(Request::from_parts(parts, body))
}

/// `<size in hexadecimal>[;extension]\r\n<data>\r\n` until a chunk of size zero; what follows it are the trailers.
fn chunks(mut rest: &[u8]) -> Option<(Bytes, &str)> {
    let mut body = BytesMut::with_capacity(rest.len());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some((body.freeze(), std::str::from_utf8(rest).unwrap_or_default()));
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &'static str) -> Request {
        http::Request::put("https://s3/b/k")
            .header("content-encoding", "gzip,aws-chunked")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .body(Bytes::from_static(body.as_bytes()))
            .expect("a request")
    }

    #[test]
    fn chunks_are_joined_and_checksums_become_headers() {
        let body = "5;chunk-signature=ab\r\nhello\r\n7\r\n, world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        let decoded = decode(request(body)).expect("chunks");
        assert_eq!(decoded.body().as_ref(), b"hello, world");
        assert_eq!(decoded.headers()["content-encoding"], "gzip");
        assert_eq!(decoded.headers()["content-length"], "12");
        assert_eq!(decoded.headers()["x-amz-checksum-crc32"], "AAAAAA==");
    }

    #[test]
    fn cut_off_bodies_are_refused() {
        for body in ["", "5\r\nhel", "5\r\nhello", "x\r\nhello\r\n0\r\n", "ffffffffffffffff\r\nx\r\n"] {
            assert!(decode(request(body)).is_err(), "{body:?}");
        }
    }
}
