#!/bin/sh
# Uploads a file, or the files of a folder and of the folders in it, into a bucket,
# which it makes when it is not there: seed.sh FILE|FOLDER [TARGET]
#
# TARGET is where the bucket tells of new objects from then on, as the server knows
# it: arn:minio:sqs::EGRID:webhook. Where it tells already, it goes on to.
#
# The server is $EGRID_S3_ENDPOINT, the bucket $EGRID_BUCKET (egrid), and the
# credentials are $EGRID_S3_ACCESS_KEY and $EGRID_S3_SECRET_KEY. Files that
# cannot be loaded are left out, and what the bucket has already is not sent
# again. It needs curl 7.87 or newer, and nothing else beyond a plain shell.
set -eu

from=$1 target=${2:-}
endpoint=${EGRID_S3_ENDPOINT%/}
bucket=${EGRID_BUCKET:-egrid}
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 # SHA-256 of nothing

# quote writes a text as a file of curl's settings has it.
quote() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# s3 PATH SHA256 [OPTION...]: the credentials stay out of the list of processes.
s3() {
  path=$1 sum=$2
  shift 2
  printf 'user = "%s:%s"\n' "$(quote "$EGRID_S3_ACCESS_KEY")" "$(quote "$EGRID_S3_SECRET_KEY")" |
    curl -K - -gsS --aws-sigv4 "aws:amz:${EGRID_S3_REGION:-us-east-1}:s3" -H "x-amz-content-sha256: $sum" \
      --connect-timeout 10 "$@" "$endpoint/$path"
}

# encode writes a name as it stands in an address. The signature is over the
# address as it is sent, so exactly these characters have to stay.
encode() {
  printf '%s' "$1" | od -An -v -tx1 | awk '
    BEGIN {
      kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
      for (c = 33; c < 127; c++) if (index(kept, sprintf("%c", c))) plain[sprintf("%02x", c)] = sprintf("%c", c)
    }
    { for (i = 1; i <= NF; i++) printf "%s", $i in plain ? plain[$i] : "%" toupper($i) }'
}

make_bucket() {
  s3 "$bucket" $empty -I -f -o /dev/null 2>/dev/null && return
  answer=$(s3 "$bucket" $empty -X PUT --fail-with-body) && return
  case $answer in
  *BucketAlreadyOwnedByYou*) ;; # somebody was faster
  *)
    echo "the bucket $bucket cannot be made: $answer" >&2
    exit 1
    ;;
  esac
}

# subscribe has the bucket tell the target, beside those that it tells already.
subscribe() {
  told=$(s3 "$bucket?notification=" $empty --fail-with-body) || {
    echo "the notifications of $bucket cannot be read: $told" >&2
    exit 1
  }
  case $told in
  *"$target<"*) return ;;
  esac
  event="<QueueConfiguration><Queue>$target</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
  all=$(printf '%s' "$told" | sed "s|</NotificationConfiguration>|$event&|")
  sum=$(printf '%s' "$all" | sha256sum | cut -d' ' -f1)
  answer=$(s3 "$bucket?notification=" "$sum" -X PUT --data-raw "$all" --fail-with-body) || {
    echo "the bucket $bucket cannot tell $target of new objects: $answer" >&2
    exit 1
  }
  echo "the bucket $bucket tells $target of new objects"
}

# has tells whether the bucket has a file already: its ETag is the MD5.
has() { # address, file
  sum=$(md5sum <"$2" | cut -d' ' -f1)
  s3 "$1" $empty -I | tr -d '\r"' | grep -qix "etag: $sum"
}

what=.
[ ! -f "$from" ] || what=./$(basename "$from") from=$(dirname "$from")
cd "$from"
make_bucket
find -L "$what" -type f \( -iname '*.csv' -o -iname '*.tsv' -o -iname '*.ndjson' -o -iname '*.xlsx' -o -iname '*.xls' -o -iname '*.zip' -o -iname '*.csv.gz' -o -iname '*.ndjson.gz' \) | sort | {
  files=0 sent=0
  while IFS= read -r file; do
    address=$bucket/$(encode "${file#./}")
    files=$((files + 1))
    if ! has "$address" "$file"; then
      sum=$(sha256sum <"$file" | cut -d' ' -f1)
      answer=$(s3 "$address" "$sum" -T "$file" --fail-with-body) || {
        echo "$file could not be sent: $answer" >&2
        exit 1
      }
      sent=$((sent + 1))
    fi
  done
  [ $files -gt 0 ] || {
    echo "no file in $1 can be loaded: .csv, .tsv, .ndjson, .xlsx, .xls, .zip, .csv.gz and .ndjson.gz can" >&2
    exit 1
  }
  echo "$files files in the bucket $bucket, $sent of them new"
}
[ -z "$target" ] || subscribe # behind the files, which the first run reads anyway
