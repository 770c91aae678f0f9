; For scripts in either GIMP, after its prelude: a line "RESULT NAME VALUES" for each case.
; Pictures and results lie in the folder `dir`.
(define (path name) (string-append dir "/" name))
(define (say name . values)
  (newline) (display "RESULT ") (display name)
  (for-each (lambda (v) (display " ") (display v)) values) (newline))

; An image of these files, the last one on top.
(define (stack . files)
  (let ((image (load-picture (path (car files)))))
    (for-each (lambda (file)
      (gimp-image-insert-layer image (car (gimp-file-load-layer 1 image (path file))) 0 0))
      (cdr files))
    image))
(define (top image) (car (layers image)))
(define (below image) (cadr (layers image)))
(define (count image) (length (layers image)))

; Defaults but for the output and the sizes.
(define (lpips image output sizes)
  (call 1 image (top image) -1 -1 0.5 0 0 0 0 output 0 sizes))
(define (distance image) (car (lpips image 3 0)))
(define (keep result file)
  (save-picture (cadr result) (path file))
  (gimp-image-delete (cadr result)))
(define message "")
(let ((hook *error-hook*))
  (set! *error-hook* (lambda x (set! message (car x)) (apply hook x))))
(define (refused name image output sizes)
  (set! message "")
  (let ((r (catch '() (lpips image output sizes))))
    (if (null? r) (say name message) (say name "was not refused"))))
