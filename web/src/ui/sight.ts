// Whether something has come near to what is seen: what lies far below is not asked for.
import { type RefObject, useEffect, useState } from "react"

/** Turns true once and stays so. */
export function useInSight(box: RefObject<HTMLElement>, margin = 400): boolean {
    const [isNear, setNear] = useState(false)
    useEffect(() => {
        const element = box.current
        if (isNear || !element) return undefined
        const observer = new IntersectionObserver(found => { if (found.some(one => one.isIntersecting)) setNear(true) }, { rootMargin: `${margin}px` })
        observer.observe(element)
        return () => observer.disconnect()
    }, [isNear])
    return isNear
}
